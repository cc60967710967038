import { describe, expect, test } from 'vitest'
import {
  type Choice,
  evaluate,
  fitChoice,
  isShortened,
  lastOfEachSplit,
  type ServingTrial,
  tune,
} from '../src/index.ts'
import { seededRandom } from '../src/seeded-random.ts'
import { servingForms } from '../src/serving-forms.ts'
import { blocks, from } from './matrices.ts'

describe('forms in which a choice can be served', () => {
  const lowPass = { kind: 'low-pass', options: { rank: 8, walk: { endExponent: 0.3 } } } as const
  const walk = { kind: 'walk', options: {} } as const
  const blend = {
    kind: 'blend',
    recencyExponent: 0,
    parts: [
      { choice: walk, weight: 1 },
      { choice: lowPass, weight: 0.6 },
    ],
  } as const
  const short = (rowLength: number, neighbourCount = 800) => ({
    kind: 'short-low-pass',
    options: { rank: 8, walk: { endExponent: 0.3, neighbourCount }, rowLength },
  })

  test('its low-pass part alone, then beside the others, the shortest rows first', () => {
    expect(servingForms(lowPass, 1_000)).toEqual([50, 100, 200].map((length) => short(length)))
    expect(servingForms(blend, 1_000)).toEqual([
      ...[50, 100, 200].map((length) => short(length)),
      ...[50, 100, 200].map((length) => ({
        ...blend,
        parts: [
          { choice: walk, weight: 1 },
          { choice: short(length), weight: 0.6 },
        ],
      })),
    ])
    expect(servingForms({ ...blend, recencyExponent: 1 }, 1_000)[0]).toEqual({
      ...blend,
      recencyExponent: 1,
      parts: [{ choice: short(50), weight: 0.6 }],
    })
    expect([blend, ...servingForms(blend, 1_000)].map(isShortened)).toEqual([
      false,
      ...new Array(6).fill(true),
    ])
  })

  test('a large catalogue is fitted with fewer neighbours of each item, never fewer than a row has', () => {
    expect(servingForms(lowPass, 100_000)[0]).toEqual(short(50, 335))
    expect(servingForms(lowPass, 2_000_000)[0]).toEqual(short(50, 200))
  })

  test('a choice without a low-pass part has none', () => {
    expect(servingForms(walk, 1_000)).toEqual([])
    expect(servingForms({ ...blend, parts: blend.parts.slice(0, 1) }, 1_000)).toEqual([])
  })
})

describe('a search that weighs what answers cost', () => {
  /** Users who mostly stay with a third of the items, so that each item has more neighbours than a short row. */
  const split = (() => {
    const random = seededRandom(3)
    const pairs = Array.from({ length: 3_000 }, (_, n) => {
      const group = n % 3
      const item = Math.floor(120 * random() ** 2)
      return [n % 150, random() < 0.8 ? 3 * item + group : Math.floor(360 * random()), n] as const
    })
    return lastOfEachSplit({ ...from(pairs), itemCount: 360 })
  })()
  const tuned = (servingTolerance: number) => {
    let micros = 0
    return tune(split, {
      k: 5,
      kinds: ['popular', 'low-pass'],
      trialsMax: 2,
      servingTolerance,
      cpuMicros: () => micros++,
    })
  }
  const whole = tuned(0)
  const bestOf = (serving: readonly ServingTrial[]) => Math.max(...serving.map(({ score }) => score))

  test('takes the cheapest form within the tolerance, of forms that differ', () => {
    expect(whole.serving).toEqual([])
    let before = Number.POSITIVE_INFINITY
    for (const tolerance of [1e-9, 0.02, 1]) {
      const { choice, score, serving } = tuned(tolerance)
      expect(serving.at(-1)).toMatchObject({ choice: whole.choice, answerCpuMicros: 1 / 150 })
      expect(serving.at(-1)!.score).toBeCloseTo(whole.score, 12)
      const place = serving.findIndex((trial) => trial.choice === choice)
      expect(serving[place]!.score).toBe(score)
      expect(score).toBeGreaterThanOrEqual(bestOf(serving) * (1 - tolerance))
      for (const cheaper of serving.slice(0, place))
        expect(cheaper.score).toBeLessThan(bestOf(serving) * (1 - tolerance))
      expect(place).toBeLessThanOrEqual(before)
      before = place
    }
    expect(before).toBe(0)
    expect(new Set(tuned(1).serving.map(({ score }) => score)).size).toBeGreaterThan(3)
  })

  test('judges what is fitted in the end, twice the same', () => {
    const { choice, score, serving } = tuned(1)
    expect(isShortened(choice)).toBe(true)
    expect(tuned(1).serving).toEqual(serving)
    for (const trial of serving) expect(scoreOfFit(trial.choice)).toBeCloseTo(trial.score, 6)
    expect(scoreOfFit(choice)).toBeCloseTo(score, 6)
  })

  test('is refused a tolerance that is no share', () => {
    const small = lastOfEachSplit(blocks())
    for (const servingTolerance of [-0.1, 1.1, Number.NaN])
      expect(() => tune(small, { k: 5, servingTolerance })).toThrow(
        /servingTolerance must be a number from 0/,
      )
  })

  function scoreOfFit(choice: Choice): number {
    const { metrics } = evaluate(fitChoice(choice, split.train), split, 5)
    return (metrics['ndcg@5']! + metrics['recall@5']!) / 2
  }
})
