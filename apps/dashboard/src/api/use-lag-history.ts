import type { UseQueryResult } from '@tanstack/react-query'
import type { LagHistoryBody } from 'arus/api'
import { useGet } from './use-get.ts'

export type LagSpan = 'hour' | 'day'

/** `GET /system/lag`: how far behind consumer groups were. */
export function useLagHistory(span: LagSpan): UseQueryResult<LagHistoryBody> {
  return useGet<LagHistoryBody>('/system/lag', {
    query: { span },
    refreshMs: span === 'hour' ? 10_000 : 60_000,
  })
}
