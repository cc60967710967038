import type { UseQueryResult } from '@tanstack/react-query'
import type { Health } from 'arus/api'
import { useGet } from './use-get.ts'

/** `GET /health`: the shop, its size and each slot's state. */
export function useHealth(): UseQueryResult<Health> {
  return useGet<Health>('/health', { refreshMs: 10_000 })
}
