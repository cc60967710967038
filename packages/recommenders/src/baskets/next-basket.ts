import type { FitSignal } from '../model.ts'
import { assertOptions } from '../options.ts'
import { type Baskets, historiesOf } from './baskets.ts'
import { type BasketDecay, basketVector, NextBasketModel } from './next-basket-model.ts'

export interface NextBasketOptions extends Partial<BasketDecay> {
  /** k: users most alike whose baskets count. */
  readonly neighbourCount?: number
  /** α: share of the user's own baskets in a score, 0 to 1; the rest is the neighbours'. */
  readonly personalShare?: number
  /** Users looked at for each product of the user's, those who bought last first. */
  readonly sampleSize?: number
}

export const NEXT_BASKET_DEFAULTS = {
  groupSize: 7,
  withinDecay: 0.9,
  groupDecay: 0.7,
  neighbourCount: 100,
  personalShare: 0.7,
  sampleSize: 2_000,
} as const

const PROGRESS_STEP = 1_024

/**
 * What a user's next basket will hold, what was bought before included: TIFU-KNN (Hu, He, Gao, Zhang: "Modeling Personalized Item
 * Frequency Information for Next-basket Recommendation", SIGIR 2020, §4). A user is the frequency of their products with decays by basket and by
 * group of baskets (`basketVector`); a score is α × that + (1 - α) × the mean of the k users most alike. Where the paper takes Euclidean
 * distance and a plain mean over all users, alike is cosine here and weighs the mean, so that an answer visits only users who share a
 * product, and reasons add up.
 */
export function fitNextBasket(
  baskets: Baskets,
  options: NextBasketOptions = {},
  signal: FitSignal = {},
): NextBasketModel {
  const params = { ...NEXT_BASKET_DEFAULTS, ...options }
  assertOptions(params, {
    groupSize: 'count',
    withinDecay: 'share',
    groupDecay: 'share',
    neighbourCount: 'count',
    personalShare: 'share',
    sampleSize: 'count',
  })
  // Users who bought last come first, so that a sample of a product's users is the newest.
  const order: number[] = []
  const isKnown = new Uint8Array(baskets.userCount)
  for (const user of baskets.users.toReversed()) {
    if (isKnown[user] === 0) order.push(user)
    isKnown[user] = 1
  }
  const histories = historiesOf(baskets)
  const vectors = order.map((user, n) => {
    if (n % PROGRESS_STEP === 0) {
      signal.signal?.throwIfAborted()
      signal.onProgress?.(n / order.length)
    }
    return basketVector(histories[user]!, params)
  })
  signal.onProgress?.(1)
  return NextBasketModel.of(vectors, baskets.itemCount, params)
}
