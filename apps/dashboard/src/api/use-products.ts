import type { UseQueryResult } from '@tanstack/react-query'
import type { ProductPage } from 'arus/api'
import { useGet } from './use-get.ts'

/** `GET /products`: products that match the words; the most popular for none. */
export function useProducts(words: string, limit: number): UseQueryResult<ProductPage> {
  return useGet<ProductPage>('/products', { query: { q: words, limit } })
}
