import type { UseQueryResult } from '@tanstack/react-query'
import type { Trends } from 'arus/api'
import type { PeriodQuery } from '../format/period.ts'
import { useGet } from './use-get.ts'

/** `GET /analytics/trends`: categories over time, from the lake. */
export function useTrends(
  period: PeriodQuery,
  interval: Trends['interval'] | undefined,
): UseQueryResult<Trends> {
  return useGet<Trends>('/analytics/trends', { query: { ...period, interval }, refreshMs: 60_000 })
}
