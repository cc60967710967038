import type { FitSignal, Model, UserItems } from '../model.ts'
import { type SparseMatrix, userItemMatrix } from '../sparse-matrix.ts'
import type { Split } from '../splits.ts'
import { timelineOf, userTimelines } from '../timelines.ts'
import { Calibration } from './calibration.ts'
import { groupDistance, type ItemDistance, intraListDiversity } from './diversity.ts'
import { type Interval, meanWithInterval, ratioWithInterval } from './intervals.ts'
import type { ItemGroups } from './item-groups.ts'
import { giniOf, ItemPopularity } from './popularity.ts'
import { rankMetrics } from './rank-metrics.ts'

/** Metrics of one model over test users, all of full rankings. */
export interface Evaluation {
  /**
   * Means over users: `recall@k`, `ndcg@k`, `map@k`, `hit_rate@k`, `mrr@k` (`rankMetrics`), `novelty@k`, `average_popularity@k`,
   * `long_tail_share@k` (`ItemPopularity`), with groups `diversity@k` (`intraListDiversity`) and `miscalibration@k` (`Calibration`).
   * `popularity@k`: average popularity of what is recommended, divided by that of what was wanted (1: no bias). Of all lists together:
   * `coverage@k`, share of items recommended to anybody, and `gini@k` (`giniOf`).
   */
  readonly metrics: Readonly<Record<string, number>>
  /** 95 % intervals; `coverage@k` and `gini@k`, which grow and fall with the number of users, have none. */
  readonly intervals: Readonly<Record<string, Interval>>
  /** The means' values of each test user, in the order of `users`; NaN where a list has none. */
  readonly byUser: Readonly<Record<string, Float64Array>>
  readonly users: Uint32Array
}

export interface EvaluateOptions extends FitSignal {
  /** Takes every n-th user, to bound the time. */
  readonly userLimit?: number
  /** Categories, for diversity and calibration. */
  readonly groups?: ItemGroups
}

/**
 * Ranks all items for every user with both a past and a test item that is new to them; the user's training items, newest first, are
 * what is asked with and masked, no negatives are sampled.
 */
export function evaluate(
  model: Pick<Model, 'recommend' | 'itemCount'>,
  { train, test }: Split,
  k: number,
  options: EvaluateOptions = {},
): Evaluation {
  const past = userTimelines(train)
  const future = userItemMatrix(test)
  const users = testUsers(past, future, options.userLimit ?? Number.POSITIVE_INFINITY)
  const lists = new ListMetrics(past, { k, userCount: users.length, ...options })
  for (const [position, user] of users.entries()) {
    if (position % 256 === 0) {
      options.signal?.throwIfAborted()
      options.onProgress?.(position / users.length)
    }
    const own = timelineOf(past, user)
    const { items } = model.recommend(own, { k })
    lists.add(position, { own, items, wanted: newItems(past, future, user) })
  }
  return { ...lists.result(model.itemCount), users }
}

const USER_METRICS = [
  'recall',
  'ndcg',
  'map',
  'hit_rate',
  'mrr',
  'novelty',
  'average_popularity',
  'long_tail_share',
] as const
const GROUP_METRICS = ['diversity', 'miscalibration'] as const
type UserMetric = (typeof USER_METRICS)[number] | (typeof GROUP_METRICS)[number]

/** What lists are worth, one after the other. */
class ListMetrics {
  readonly #k: number
  readonly #popularity: ItemPopularity
  readonly #values: ReadonlyMap<UserMetric, Float64Array>
  readonly #wantedPopularity: Float64Array
  readonly #timesShown: Float64Array
  readonly #distance: ItemDistance | undefined
  readonly #calibration: Calibration | undefined

  constructor(
    past: SparseMatrix,
    options: { readonly k: number; readonly userCount: number; readonly groups?: ItemGroups },
  ) {
    const { k, userCount, groups } = options
    const names = groups === undefined ? USER_METRICS : [...USER_METRICS, ...GROUP_METRICS]
    this.#k = k
    this.#popularity = new ItemPopularity(past)
    this.#values = new Map(names.map((name) => [name, new Float64Array(userCount)]))
    this.#wantedPopularity = new Float64Array(userCount)
    this.#timesShown = new Float64Array(past.columnCount)
    this.#distance = groups && groupDistance(groups)
    this.#calibration = groups && new Calibration(groups)
  }

  add(
    position: number,
    list: { readonly own: UserItems; readonly items: Uint32Array; readonly wanted: ReadonlySet<number> },
  ): void {
    const { own, items, wanted } = list
    const set = (name: UserMetric, value: number) => {
      this.#values.get(name)![position] = value
    }
    const { recall, ndcg, map, mrr } = rankMetrics(items, wanted, this.#k)
    set('recall', recall)
    set('ndcg', ndcg)
    set('map', map)
    set('hit_rate', recall > 0 ? 1 : 0)
    set('mrr', mrr)
    set('novelty', this.#popularity.noveltyOf(items))
    set('average_popularity', this.#popularity.averageOf(items))
    set('long_tail_share', this.#popularity.longTailShareOf(items))
    if (this.#distance) set('diversity', intraListDiversity(items, this.#distance))
    if (this.#calibration) set('miscalibration', this.#calibration.divergenceOf(own, items))
    this.#wantedPopularity[position] = this.#popularity.averageOf(wanted)
    for (const item of items) this.#timesShown[item]! += 1
  }

  result(itemCount: number): Omit<Evaluation, 'users'> {
    const named = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
      Object.fromEntries(entries.map(([name, value]) => [`${name}@${this.#k}`, value]))
    const shownPopularity = this.#values.get('average_popularity')!.map((value) => value || 0)
    const intervals = named([
      ...[...this.#values].map(([name, values]) => [name, meanWithInterval(values)] as const),
      ['popularity', ratioWithInterval(shownPopularity, this.#wantedPopularity)] as const,
    ])
    const shown = this.#timesShown.reduce((count, times) => count + (times > 0 ? 1 : 0), 0)
    return {
      metrics: {
        ...Object.fromEntries(Object.entries(intervals).map(([name, { mean }]) => [name, mean])),
        ...named([
          ['coverage', itemCount === 0 ? 0 : shown / itemCount],
          ['gini', giniOf(this.#timesShown)],
        ]),
      },
      intervals,
      byUser: named([...this.#values]),
    }
  }
}

function testUsers(past: SparseMatrix, future: SparseMatrix, limit: number): Uint32Array {
  const users: number[] = []
  for (let user = 0; user < past.rowCount; user++) {
    const hasPast = past.starts[user + 1]! > past.starts[user]!
    if (hasPast && newItems(past, future, user).size > 0) users.push(user)
  }
  const step = Math.max(1, Math.ceil(users.length / limit))
  return Uint32Array.from(users.filter((_, n) => n % step === 0))
}

function newItems(past: SparseMatrix, future: SparseMatrix, user: number): Set<number> {
  const wanted = new Set(future.columns.subarray(future.starts[user], future.starts[user + 1]))
  for (const item of past.columns.subarray(past.starts[user], past.starts[user + 1])) wanted.delete(item)
  return wanted
}
