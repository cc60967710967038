import type { UseQueryResult } from '@tanstack/react-query'
import type { Funnel } from 'arus/api'
import type { PeriodQuery } from '../format/period.ts'
import { useGet } from './use-get.ts'

/** Which funnel; what is absent is the API's own. */
export interface FunnelQuestion {
  /** Actions, comma-separated. */
  readonly steps?: string | undefined
  readonly order?: Funnel['order'] | undefined
  /** Such as `1h`, `7d`. */
  readonly window?: string | undefined
  readonly split_by?: string | undefined
}

/** `GET /analytics/funnel`: step by step to a purchase, from the lake. */
export function useFunnel(period: PeriodQuery, question: FunnelQuestion): UseQueryResult<Funnel> {
  return useGet<Funnel>('/analytics/funnel', { query: { ...period, ...question }, refreshMs: 30_000 })
}
