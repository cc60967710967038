import type { IdTable } from '@arus/recommenders'
import { ACTION_WEIGHTS } from '../events/event.ts'
import type { HistoryItem } from '../live/live-state.ts'
import { Retrievers } from '../recommend/retrieve/retrieve.ts'
import { pastOf } from '../recommend/retrieve/shopper-past.ts'
import type { SessionLog } from './read-sessions.ts'
import type { ServingModel } from './serving-model.ts'
import { answersOf, reciprocalRankOf, type TrialAnswers } from './trial-answers.ts'

export interface SessionTrialOptions {
  readonly products: IdTable
  /** Sessions that begin here or later are asked about. UTC ms. */
  readonly fromMs: number
  /** Sessions at most; every n-th is taken where there are more. */
  readonly sessionLimit: number
  readonly k: number
  readonly signal?: AbortSignal
}

/** Whose past is given: `anonymous`, of the session alone; `known`, also what its shopper did before it. */
export type Asker = 'anonymous' | 'known'

/** Events before the session that live state would have kept. */
const HISTORY_MAX = 100
const NAME_OF_WEIGHT = new Map(Object.entries(ACTION_WEIGHTS).map(([action, weight]) => [weight, action]))

/**
 * Asks contenders what comes next in past sessions, as a server would have answered: the same past, retrievers, blend and rules. Each event with
 * a product that the shopper has not seen is to be predicted from those before it. In `known` only sessions of shoppers with a past are asked about.
 */
export function sessionTrial(
  log: SessionLog,
  contenders: readonly ServingModel[],
  { asker, ...options }: SessionTrialOptions & { readonly asker: Asker },
): TrialAnswers[] {
  const ranks: number[][] = contenders.map(() => [])
  const sessions: number[] = []
  const retrievers = contenders.map(() => new Retrievers())
  for (const session of askedSessions(log, options)) {
    options.signal?.throwIfAborted()
    const history = asker === 'known' ? historyBefore(log, session, options.products) : []
    if (asker === 'known' && history.length === 0) continue
    const events = itemsOf(log, session.from, session.to, options.products)
    for (let next = 1; next < events.length; next++) {
      const past = pastOf(history, events.slice(0, next).reverse())
      const wanted = events[next]!.product_id
      if (past.seen.has(wanted)) continue
      sessions.push(session.number)
      for (const [n, contender] of contenders.entries())
        ranks[n]!.push(reciprocalRankOf(wanted, retrievers[n]!, contender, { past, k: options.k }))
    }
  }
  return ranks.map((own) => answersOf(own, sessions, options.k))
}

interface AskedSession {
  readonly number: number
  readonly from: number
  readonly to: number
}

function askedSessions(
  { sessions, items, timesMs }: SessionLog,
  { fromMs, sessionLimit }: Pick<SessionTrialOptions, 'fromMs' | 'sessionLimit'>,
): AskedSession[] {
  const asked: AskedSession[] = []
  for (let from = 0, to = 0; from < items.length; from = to) {
    while (to < items.length && sessions[to] === sessions[from]) to += 1
    if (timesMs[from]! >= fromMs && items.subarray(from, to).some((item) => item !== items[from]))
      asked.push({ number: sessions[from]!, from, to })
  }
  const step = Math.max(1, Math.ceil(asked.length / sessionLimit))
  return asked.filter((_, n) => n % step === 0)
}

/** What the session's shopper did before it, newest first. */
function historyBefore(log: SessionLog, { from, number }: AskedSession, products: IdTable): HistoryItem[] {
  const places: number[] = []
  for (let n = 0; n < log.items.length; n++)
    if (
      log.shoppers[n] === log.shoppers[from] &&
      log.timesMs[n]! < log.timesMs[from]! &&
      log.sessions[n] !== number
    )
      places.push(n)
  places.sort((a, b) => log.timesMs[b]! - log.timesMs[a]! || b - a)
  return places.slice(0, HISTORY_MAX).map((n) => itemAt(log, n, products))
}

/** In order of time. */
function itemsOf(log: SessionLog, from: number, to: number, products: IdTable): HistoryItem[] {
  return Array.from({ length: to - from }, (_, n) => itemAt(log, from + n, products))
}

function itemAt({ items, weights, timesMs }: SessionLog, n: number, products: IdTable): HistoryItem {
  return {
    product_id: products.idOf(items[n]!),
    action: NAME_OF_WEIGHT.get(weights[n]!)!,
    ts: timesMs[n]!,
    partition: 0,
    offset: n,
  }
}
