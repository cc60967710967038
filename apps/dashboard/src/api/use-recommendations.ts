import { type UseQueryResult, useQueryClient } from '@tanstack/react-query'
import type { Recommendation } from 'arus/api'
import { useCallback } from 'react'
import { useApi } from './api-context.ts'
import { pathWith } from './request.ts'
import { type StreamStatus, useEventStream } from './use-event-stream.ts'
import { useGet } from './use-get.ts'

/** `GET /recommendations/user/{user_id}`, kept up to date by `/stream/recommendations/{user_id}`. */
export function useRecommendations(
  userId: string,
  limit: number,
): { readonly query: UseQueryResult<Recommendation>; readonly status: StreamStatus } {
  const api = useApi()
  const client = useQueryClient()
  const path = `/recommendations/user/${encodeURIComponent(userId)}`
  const enabled = userId !== ''
  const query = useGet<Recommendation>(path, { query: { limit }, enabled })
  const onMessage = useCallback(
    (answer: Recommendation) => client.setQueryData([path, { limit }], answer),
    [client, path, limit],
  )
  const stream = pathWith(`${api}/stream/recommendations/${encodeURIComponent(userId)}`, { limit })
  const status = useEventStream({ url: enabled ? stream : null, event: 'recommendations', onMessage })
  return { query, status }
}
