import {
  type BasketSplit,
  basketsOf,
  basketsSplitAt,
  fitBoughtTogether,
  type IdTable,
  type Purchases,
} from '@arus/recommenders'
import { Retrievers } from '../recommend/retrieve/retrieve.ts'
import { pastOfCart } from '../recommend/retrieve/shopper-past.ts'
import type { HelperReport } from '../registry/registry.ts'
import { choose } from './choose-use.ts'
import { servingModelOf } from './load-serving-model.ts'
import type { BundleFiles, ModelBundle } from './model-bundle.ts'
import { K } from './ndcg.ts'
import type { ServingModel } from './serving-model.ts'
import { answersOf, reciprocalRankOf, type TrialAnswers } from './trial-answers.ts'

export interface TrainCartsOptions {
  readonly products: IdTable
  /** Models of shoppers, which answer for carts today, fitted on what came before `cutMs`. */
  readonly shoppers: Omit<ModelBundle, 'session' | 'cart'>
  readonly cutMs: number
  readonly signal: AbortSignal
}

/** A model of what is bought together and what came of comparing it. */
export interface TrainedCarts {
  /** Null where answers with it are not surely better than those without. */
  readonly cart: BundleFiles['cart']
  /** Null where there were too few orders of several products. */
  readonly report: HelperReport | null
}

export const NO_CARTS: TrainedCarts = { cart: null, report: null }

/** Fewer orders of several products on either side say nothing. */
const ORDERS_MIN = 50
const TRIAL_ORDERS = 1_000
/** Shares of the blend, each kept only where it is surely better than those before. */
const SHARES: readonly number[] = [1, 3]

/**
 * Fits what is bought together on orders of before `cutMs`, and compares it, on those since, with what answers for carts without it: one
 * product is taken out of each, and the rest, as a cart, asks for it.
 */
export function trainCarts(purchases: Purchases, options: TrainCartsOptions): TrainedCarts {
  const { cutMs, signal, shoppers } = options
  const baskets = basketsOf(purchases)
  const split = basketsSplitAt(baskets, cutMs)
  if (ordersOfSeveral(split.train) < ORDERS_MIN || ordersOfSeveral(split.test) < ORDERS_MIN) return NO_CARTS
  const model = fitBoughtTogether(split.train, {}, { signal })
  const contenders = [0, ...SHARES].map((share) =>
    servingModelOf(
      { kind: shoppers.chosen, version: 0, trained_at: cutMs },
      { ...shoppers, session: null, cart: share === 0 ? null : { model, share } },
    ),
  )
  const answers = cartTrial(split, contenders, options)
  const { use: share, metrics, reason } = choose('a cart', model.kind, [0, ...SHARES], answers)
  const isTaken = share !== 0
  return {
    cart: isTaken ? { file: fitBoughtTogether(baskets, {}, { signal }).file(), share } : null,
    report: { kind: isTaken ? model.kind : null, spec: {}, metrics, reason },
  }
}

function ordersOfSeveral({ starts, users }: BasketSplit['train']): number {
  return users.reduce((count, _, n) => count + (starts[n + 1]! - starts[n]! > 1 ? 1 : 0), 0)
}

/** Asks contenders for the product that is missing from a cart, as a server would have answered; which is, the order's number tells. */
function cartTrial(
  { test }: BasketSplit,
  contenders: readonly ServingModel[],
  { products, signal }: Pick<TrainCartsOptions, 'products' | 'signal'>,
): TrialAnswers[] {
  const orders = Array.from(test.users, (_, n) =>
    test.items.subarray(test.starts[n], test.starts[n + 1]),
  ).filter(({ length }) => length > 1)
  const step = Math.max(1, Math.ceil(orders.length / TRIAL_ORDERS))
  const asked = orders.filter((_, n) => n % step === 0)
  const ranks: number[][] = contenders.map(() => [])
  const retrievers = contenders.map(() => new Retrievers())
  for (const [n, order] of asked.entries()) {
    signal.throwIfAborted()
    const wanted = order[n % order.length]!
    const cart = Array.from(order).filter((item) => item !== wanted)
    const past = pastOfCart(cart.map((item) => products.idOf(item)))
    for (const [at, contender] of contenders.entries())
      ranks[at]!.push(reciprocalRankOf(products.idOf(wanted), retrievers[at]!, contender, { past, k: K }))
  }
  return ranks.map((own) => answersOf(own, [...asked.keys()], K))
}
