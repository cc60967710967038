import { type UseMutationResult, useMutation } from '@tanstack/react-query'
import type { IngestBody } from 'arus/api'
import { useApi } from './api-context.ts'
import { requestJson } from './request.ts'

/** What the pages can do in a shopper's name. */
export type ShopperAction = 'view' | 'click' | 'add_to_cart' | 'purchase'

/** An event of a shopper, as `POST /stream/events` takes it. */
export interface ShopperEvent {
  readonly user_id: string
  readonly action: ShopperAction
  readonly product_id: string
  readonly price?: number
  readonly quantity?: number
  readonly order_id?: string
  readonly recommendation_id?: string
  readonly position?: number
}

/** `POST /stream/events` */
export function useSendEvent(): UseMutationResult<IngestBody, Error, ShopperEvent> {
  const api = useApi()
  return useMutation({
    mutationFn: (event: ShopperEvent) =>
      requestJson<IngestBody>(`${api}/stream/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([event]),
      }),
  })
}
