import type { UseQueryResult } from '@tanstack/react-query'
import type { Searches } from 'arus/api'
import type { PeriodQuery } from '../format/period.ts'
import { useGet } from './use-get.ts'

/** `GET /analytics/searches`: what shoppers search for, from the lake. */
export function useSearches(period: PeriodQuery, limit: number): UseQueryResult<Searches> {
  return useGet<Searches>('/analytics/searches', { query: { ...period, limit }, refreshMs: 60_000 })
}
