import type { UseQueryResult } from '@tanstack/react-query'
import type { Recommendation } from 'arus/api'
import { useGet } from './use-get.ts'

/** `GET /recommendations/similar/{product_id}`. */
export function useSimilar(productId: string, limit: number): UseQueryResult<Recommendation> {
  return useGet<Recommendation>(`/recommendations/similar/${encodeURIComponent(productId)}`, {
    query: { limit },
  })
}
