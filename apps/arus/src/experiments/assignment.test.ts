import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assign, isInTraffic, murmur3 } from './assignment.ts'
import type { Variant } from './experiment.ts'

/** Quantile 0.999 of χ² by degrees of freedom. */
const CHI_SQUARE_999: Readonly<Record<number, number>> = { 1: 10.83, 2: 13.82, 4: 18.47 }
const UNITS = Array.from({ length: 20_000 }, (_, i) => String(i + 1))

const variant = (name: string, share: number): Variant => ({ name, share, model_version: null })
const experiment = (id: string, variants = [variant('a', 1), variant('b', 1)], traffic = 1) => ({
  id,
  variants,
  traffic,
})

function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0)
}

test.each([
  // Austin Appleby's smhasher and its ports give these.
  ['', 0],
  ['hello', 0x248bfa47],
  ['hello, world', 0x149bbb7f],
  ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
])('murmur3 of %j is the known one', (text, hash) => {
  expect(murmur3(text)).toBe(hash)
})

describe('a shopper', () => {
  test('keeps the variant: it depends on the experiment and the shopper alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (id, unit) => {
        expect(assign(experiment(id), unit)).toEqual(assign(experiment(id), unit))
      }),
    )
    expect(
      UNITS.slice(0, 12)
        .map((unit) => assign(experiment('exp_1'), unit)?.name)
        .join(''),
    ).toBe('babbabaaabab')
  })

  test('who is in a share of the traffic stays in a larger one, with the same variant', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 1, noNaN: true }), (unit, traffic) => {
        if (!isInTraffic('e', traffic / 2, unit)) return
        expect(isInTraffic('e', traffic, unit)).toBe(true)
        const [one, other] = [traffic / 2, traffic].map((share) =>
          assign(experiment('e', undefined, share), unit),
        )
        expect(one).toEqual(other)
      }),
    )
  })
})

test('shoppers come into variants by their shares, with numbers and with random names', () => {
  const variants = [variant('a', 50), variant('b', 30), variant('c', 20)]
  for (const id of ['exp_1', 'exp_2', 'another']) {
    const counts = [0, 0, 0]
    for (const unit of UNITS) {
      const at = variants.findIndex(({ name }) => name === assign(experiment(id, variants), unit)?.name)
      counts[at]! += 1
    }
    expect(chiSquare(counts, [10_000, 6_000, 4_000])).toBeLessThan(CHI_SQUARE_999[2]!)
  }
})

test('the share of traffic is what was asked for, and is independent of the variant', () => {
  const inIt = UNITS.filter((unit) => assign(experiment('e', undefined, 0.2), unit) !== null)
  expect(chiSquare([inIt.length, 20_000 - inIt.length], [4_000, 16_000])).toBeLessThan(CHI_SQUARE_999[1]!)
  const ofA = inIt.filter((unit) => assign(experiment('e'), unit)?.name === 'a').length
  expect(chiSquare([ofA, inIt.length - ofA], [inIt.length / 2, inIt.length / 2])).toBeLessThan(
    CHI_SQUARE_999[1]!,
  )
})

test('two experiments are independent of each other', () => {
  const three = [variant('x', 1), variant('y', 1), variant('z', 1)]
  const ids = ['exp_0a', 'exp_0b', 'exp_0c', 'z']
  for (const one of ids) {
    for (const other of ids.filter((id) => id !== one)) {
      const cells = new Map<string, number>()
      for (const unit of UNITS) {
        const key = `${assign(experiment(one, three), unit)?.name}${assign(experiment(other, three), unit)?.name}`
        cells.set(key, (cells.get(key) ?? 0) + 1)
      }
      // Margins are not exactly a third each, so the table's own are taken: 4 degrees of freedom.
      const at = (i: number, j: number) => cells.get(`${'xyz'[i]}${'xyz'[j]}`) ?? 0
      const range = [0, 1, 2]
      const row = range.map((i) => range.reduce((sum, j) => sum + at(i, j), 0))
      const column = range.map((j) => range.reduce((sum, i) => sum + at(i, j), 0))
      const pairs = range.flatMap((i) => range.map((j) => [i, j] as const))
      const statistic = chiSquare(
        pairs.map(([i, j]) => at(i, j)),
        pairs.map(([i, j]) => (row[i]! * column[j]!) / UNITS.length),
      )
      expect(statistic).toBeLessThan(CHI_SQUARE_999[4]!)
    }
  }
})
