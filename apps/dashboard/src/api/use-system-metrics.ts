import type { UseQueryResult } from '@tanstack/react-query'
import type { SystemMetrics } from 'arus/api'
import { useGet } from './use-get.ts'

/** `GET /system/metrics`: what whoever is on call looks at. */
export function useSystemMetrics(): UseQueryResult<SystemMetrics> {
  return useGet<SystemMetrics>('/system/metrics', { refreshMs: 5_000 })
}
