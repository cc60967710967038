import { describe, expect, test } from 'vitest'
import { crossFittedClickModel, estimateOffPolicy, fitClickModel, type LoggedList } from '../src/index.ts'
import { seededRandom } from '../src/seeded-random.ts'

const RANKS = 3
const ITEMS = 6
const CONTEXTS = 4
/** The chance of a click: taste of the context for the item, and ranks that are looked at less and less. */
const clickChance = (context: number, item: number, rank: number) =>
  ((context + 2 * item) % ITEMS === 0 ? 0.9 : 0.3 + 0.08 * item) / (1 + 0.2 * rank)
/** What is shown while exploring: mostly one item of each rank, others seldom. */
const logging = (context: number, rank: number) =>
  Array.from({ length: ITEMS }, (_, item) => (item === (context + rank) % ITEMS ? 0.6 : 0.08))
/** What is to be judged. */
const target = (context: number) =>
  Array.from({ length: RANKS }, (_, rank) => (5 * context + 2 * rank + 1) % ITEMS)
const truth =
  Array.from({ length: CONTEXTS }, (_, context) =>
    target(context).reduce((sum, item, rank) => sum + clickChance(context, item, rank), 0),
  ).reduce((sum, value) => sum + value, 0) / CONTEXTS

function drawn(chances: readonly number[], random: () => number): number {
  let left = random() * chances.reduce((sum, chance) => sum + chance, 0)
  for (const [item, chance] of chances.entries()) {
    left -= chance
    if (left < 0) return item
  }
  return chances.length - 1
}

interface Shown extends LoggedList<number> {
  readonly context: number
}

function simulate(count: number, seed: number): Shown[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const context = Math.floor(random() * CONTEXTS)
    const items = Array.from({ length: RANKS }, (_, rank) => drawn(logging(context, rank), random))
    return {
      context,
      items,
      propensities: items.map((item, rank) => {
        const chances = logging(context, rank)
        return chances[item]! / chances.reduce((sum, chance) => sum + chance, 0)
      }),
      rewards: items.map((item, rank) => (random() < clickChance(context, item, rank) ? 1 : 0)),
      target: target(context),
    }
  })
}

function estimated(lists: readonly Shown[], rewardModel = crossFittedClickModel(lists)) {
  const found = estimateOffPolicy(lists, { rewardModel })
  if (found.kind === 'refused') throw new TypeError(found.message)
  return found
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: readonly number[]) =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)))

describe('a simulation whose truth is known', () => {
  const RUNS = 300
  const runs = Array.from({ length: RUNS }, (_, run) => estimated(simulate(400, run + 1)))
  const biasInErrors = (values: readonly number[]) =>
    Math.abs(mean(values) - truth) / (deviation(values) / Math.sqrt(RUNS))

  test('what was shown is no measure of what would be: IPS, SNIPS and doubly robust are', () => {
    expect(biasInErrors(runs.map(({ logged }) => logged.mean))).toBeGreaterThan(20)
    expect(biasInErrors(runs.map(({ ips }) => ips.mean))).toBeLessThan(3)
    expect(biasInErrors(runs.map(({ snips }) => snips.mean))).toBeLessThan(3)
    expect(biasInErrors(runs.map(({ doublyRobust }) => doublyRobust!.mean))).toBeLessThan(3)
  })

  test('doubly robust estimates vary less than IPS, and SNIPS do too', () => {
    const ips = deviation(runs.map((run) => run.ips.mean))
    expect(deviation(runs.map(({ doublyRobust }) => doublyRobust!.mean))).toBeLessThan(0.95 * ips)
    expect(deviation(runs.map(({ snips }) => snips.mean))).toBeLessThan(0.95 * ips)
  })

  test('with the true click model doubly robust is better still; with a wrong one it stays unbiased', () => {
    const by = (model: (context: number, item: number, rank: number) => number) =>
      Array.from({ length: RUNS }, (_, run) =>
        estimated(simulate(400, run + 1), (list, item, rank) => model((list as Shown).context, item, rank)),
      ).map(({ doublyRobust }) => doublyRobust!.mean)
    expect(deviation(by(clickChance))).toBeLessThan(0.8 * deviation(runs.map(({ ips }) => ips.mean)))
    expect(biasInErrors(by((_, item) => 0.3 - 0.05 * item))).toBeLessThan(3)
  })

  test('19 of 20 intervals hold the truth', () => {
    const held = (intervals: readonly { low: number; high: number }[]) =>
      mean(intervals.map(({ low, high }) => (low <= truth && truth <= high ? 1 : 0)))
    for (const share of [
      held(runs.map(({ ips }) => ips)),
      held(runs.map(({ snips }) => snips)),
      held(runs.map(({ doublyRobust }) => doublyRobust!)),
    ]) {
      expect(share).toBeGreaterThan(0.9)
      expect(share).toBeLessThan(0.985)
    }
  })

  test('the mean weight is 1, unless the target shows what exploration never does', () => {
    expect(mean(runs.map(({ meanWeight }) => meanWeight.mean))).toBeCloseTo(1, 1)
    const without = simulate(3_000, 9).map((list) => ({ ...list, target: [list.target[0]!, 99, 99] }))
    const { meanWeight } = estimated(without)
    expect(meanWeight.high).toBeLessThan(0.5)
  })
})

test('lists of one shopper are not taken for independent', () => {
  const lists = simulate(200, 1)
  const width = (all: readonly Shown[]) => {
    const { ips } = estimated(all)
    return ips.high - ips.low
  }
  const nine = lists.flatMap((list) => Array.from({ length: 9 }, () => ({ ...list })))
  const ofShoppers = nine.map((list, n) => ({ ...list, unit: `shopper ${Math.floor(n / 9)}` }))
  expect(width(ofShoppers)).toBeCloseTo(width(lists), 10)
  expect(width(nine)).toBeLessThan(0.4 * width(lists))
  expect(estimated(ofShoppers).ips.mean).toBeCloseTo(estimated(lists).ips.mean, 10)
})

describe('by hand', () => {
  const lists: LoggedList<string>[] = [
    { items: ['a', 'b'], propensities: [0.5, 1], rewards: [1, 0], target: ['a', 'c'] },
    { items: ['d', 'b'], propensities: [0.25, 1], rewards: [1, 1], target: ['a', 'b'] },
  ]

  test('weights, estimates and effective sample', () => {
    const found = estimateOffPolicy(lists, { effectiveSampleMin: 0, rewardModel: () => 0.5 })
    // Weights: 2, 0 and 0, 1.
    expect(found).toMatchObject({
      kind: 'estimated',
      listCount: 2,
      matchCount: 2,
      logged: { mean: 1.5 },
      ips: { mean: (2 + 1) / 2 },
      effectiveSampleSize: 9 / 5,
      meanWeight: { mean: 3 / 4 },
      doublyRobust: { mean: (1 + 2 * 0.5 + (1 + 0.5)) / 2 },
    })
    expect(found.kind === 'estimated' && found.snips.mean).toBeCloseTo((3 / 3) * 2, 12)
  })

  test('says why it cannot', () => {
    const because = (all: readonly LoggedList<string>[]) => {
      const found = estimateOffPolicy(all)
      return found.kind === 'refused' ? found.because : found.kind
    }
    expect(because([])).toBe('no-lists')
    expect(because([{ ...lists[0]!, propensities: [] }])).toBe('no-propensity')
    expect(because([{ ...lists[0]!, propensities: [0, 1] }])).toBe('impossible-propensity')
    expect(because([{ ...lists[0]!, propensities: [1.5, 1] }])).toBe('impossible-propensity')
    expect(because([{ ...lists[0]!, propensities: [Number.NaN, 1] }])).toBe('impossible-propensity')
    expect(because(lists)).toBe('too-few')
  })

  test('the click model: ranks, times how an item did where it stood', () => {
    const model = fitClickModel(
      Array.from({ length: 100 }, (_, n) => ({
        items: n % 2 ? ['good', 'bad'] : ['bad', 'good'],
        propensities: [0.5, 0.5],
        rewards: n % 2 ? [1, 0] : [0, 1],
        target: [],
      })),
    )
    // Each rank brings 1/2; `good` brought 100 where 50 were expected, `bad` nothing.
    expect(model('good', 0)).toBeCloseTo((0.5 * 102) / 52)
    expect(model('bad', 1)).toBeCloseTo((0.5 * 2) / 52)
    expect(model('new', 1)).toBe(0.5)
    expect(model('good', 7)).toBe(0)
  })
})
