import type { UseQueryResult } from '@tanstack/react-query'
import type { Heatmap } from 'arus/api'
import type { PeriodQuery } from '../format/period.ts'
import { useGet } from './use-get.ts'

/** `GET /analytics/heatmap`: active shoppers by weekday and hour of a time zone, from the lake. */
export function useHeatmap(period: PeriodQuery, timeZone: string): UseQueryResult<Heatmap> {
  return useGet<Heatmap>('/analytics/heatmap', {
    query: { ...period, time_zone: timeZone },
    refreshMs: 60_000,
  })
}
