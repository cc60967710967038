import {
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query'
import type { RuleBody, RulesBody, RulesPreviewBody } from 'arus/api'
import { useApi } from './api-context.ts'
import { requestJson } from './request.ts'
import { useGet } from './use-get.ts'

const PATH = '/rules'
const JSON_CONTENT = { 'content-type': 'application/json' }

/** `GET /rules`: in the order in which they were made. */
export function useRules(): UseQueryResult<RulesBody> {
  return useGet<RulesBody>(PATH, { refreshMs: 15_000 })
}

/** `PUT /rules/{id}`: switches a rule on or off. */
export function useSwitchRule(): UseMutationResult<RuleBody, Error, RuleBody> {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, created_at, updated_at, ...rule }: RuleBody) =>
      requestJson<RuleBody>(`${api}${PATH}/${encodeURIComponent(id)}`, {
        method: 'PUT',
        headers: JSON_CONTENT,
        body: JSON.stringify({ ...rule, enabled: !rule.enabled }),
      }),
    onSettled: () => client.invalidateQueries({ queryKey: [PATH] }),
  })
}

/** Which rules to try, for whom. */
export interface PreviewWish {
  readonly user: string
  readonly scenario: string
  /** JSON: one rule, or an array. */
  readonly rules: string
}

/** `POST /rules/preview`; fails with the reason when the rules are no JSON. */
export function usePreviewRules(): UseMutationResult<RulesPreviewBody, Error, PreviewWish> {
  const api = useApi()
  return useMutation({
    mutationFn: async ({ user, scenario, rules }: PreviewWish) => {
      const parsed: unknown = JSON.parse(rules)
      return requestJson<RulesPreviewBody>(`${api}${PATH}/preview`, {
        method: 'POST',
        headers: JSON_CONTENT,
        body: JSON.stringify({
          rules: Array.isArray(parsed) ? parsed : [parsed],
          ...(user === '' ? {} : { user_id: user }),
          ...(scenario === '' ? {} : { scenario }),
        }),
      })
    },
  })
}
