import type { UseQueryResult } from '@tanstack/react-query'
import type { Retention } from 'arus/api'
import type { PeriodQuery } from '../format/period.ts'
import { useGet } from './use-get.ts'

/** Which cohorts; what is absent is the API's own. */
export interface RetentionQuestion {
  readonly interval: Retention['interval']
  readonly return_action?: string | undefined
}

/** `GET /analytics/retention`: who comes back, by when they came first, from the lake. */
export function useRetention(period: PeriodQuery, question: RetentionQuestion): UseQueryResult<Retention> {
  return useGet<Retention>('/analytics/retention', { query: { ...period, ...question }, refreshMs: 60_000 })
}
