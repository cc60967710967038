import type { UseQueryResult } from '@tanstack/react-query'
import type { Trending } from 'arus/api'
import { useGet } from './use-get.ts'

/** `GET /recommendations/trending`: what is rising now. */
export function useTrending(limit: number): UseQueryResult<Trending> {
  return useGet<Trending>('/recommendations/trending', { query: { limit }, refreshMs: 10_000 })
}
