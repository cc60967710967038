import { type UseQueryResult, useQueryClient } from '@tanstack/react-query'
import type { LiveAnalyticsBody } from 'arus/api'
import { useCallback } from 'react'
import { useApi } from './api-context.ts'
import { type StreamStatus, useEventStream } from './use-event-stream.ts'
import { useGet } from './use-get.ts'

const PATH = '/analytics'

/** `GET /analytics`, kept up to date by `/stream/analytics`. */
export function useLiveAnalytics(): {
  readonly query: UseQueryResult<LiveAnalyticsBody>
  readonly status: StreamStatus
} {
  const api = useApi()
  const client = useQueryClient()
  const query = useGet<LiveAnalyticsBody>(PATH)
  const onMessage = useCallback((body: LiveAnalyticsBody) => client.setQueryData([PATH, {}], body), [client])
  const status = useEventStream({ url: `${api}/stream/analytics`, event: 'analytics', onMessage })
  return { query, status }
}
