import type { UseQueryResult } from '@tanstack/react-query'
import type { Funnel } from 'arus/api'
import type { PeriodQuery } from '../format/period.ts'
import { useGet } from './use-get.ts'

/** `GET /analytics/funnel`: from view to purchase, from the lake. */
export function useFunnel(period: PeriodQuery): UseQueryResult<Funnel> {
  return useGet<Funnel>('/analytics/funnel', { query: { ...period }, refreshMs: 30_000 })
}
