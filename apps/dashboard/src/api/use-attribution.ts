import type { UseQueryResult } from '@tanstack/react-query'
import type { Attribution } from 'arus/api'
import type { PeriodQuery } from '../format/period.ts'
import { useGet } from './use-get.ts'

/** `GET /analytics/attribution`: what came of recommendations, from the lake. `window` is such as `24h`, `7d`. */
export function useAttribution(period: PeriodQuery, window: string): UseQueryResult<Attribution> {
  return useGet<Attribution>('/analytics/attribution', { query: { ...period, window }, refreshMs: 60_000 })
}
