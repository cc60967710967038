import type { UseQueryResult } from '@tanstack/react-query'
import type { Timeline } from 'arus/api'
import type { PeriodQuery } from '../format/period.ts'
import { useGet } from './use-get.ts'

/** `GET /analytics/timeline`: events per step and action, from the lake. */
export function useTimeline(
  period: PeriodQuery,
  interval: Timeline['interval'] | undefined,
): UseQueryResult<Timeline> {
  return useGet<Timeline>('/analytics/timeline', { query: { ...period, interval }, refreshMs: 30_000 })
}
