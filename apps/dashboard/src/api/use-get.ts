import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { useApi } from './api-context.ts'
import { pathWith, type QueryValue, requestJson } from './request.ts'

export interface GetOptions {
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Milliseconds between two refreshes; absent: never by itself. */
  readonly refreshMs?: number
  readonly enabled?: boolean
}

/** Keeps the newest answer of one endpoint; the key holds the path and every parameter. */
export function useGet<T>(path: string, options: GetOptions = {}): UseQueryResult<T> {
  const api = useApi()
  const { query = {}, refreshMs, enabled = true } = options
  return useQuery({
    queryKey: [path, query],
    queryFn: ({ signal }) => requestJson<T>(api + pathWith(path, query), { signal }),
    enabled,
    ...(refreshMs === undefined ? {} : { refetchInterval: refreshMs }),
  })
}
