import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseStatistics } from '../src/statistics.ts'
import { exactNumber } from '../src/typed-statistics.ts'

test('integers that doubles cannot hold keep their digits as text, beside any other text and number', () => {
  const value = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((integer) => ({
      json: String(integer),
      expected: Number.isSafeInteger(Number(integer)) ? Number(integer) : String(integer),
    })),
    fc
      .oneof(fc.string(), fc.constantFrom('"12345678901234567890', '\\" 12345678901234567890,'), fc.double())
      .filter((plain) => typeof plain === 'string' || (Number.isFinite(plain) && !Object.is(plain, -0)))
      .map((plain) => ({ json: JSON.stringify(plain), expected: plain }))
      // Whole doubles beyond 2^53 are written without a point: integers, as far as a reader can tell.
      .filter(({ json, expected }) => typeof expected === 'string' || !/^-?\d{16,}$/.test(json)),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (columns) => {
      const names = Object.keys(columns)
      const fields = names.map((name) => `${JSON.stringify(name)}: ${columns[name]?.json}`)
      const { minValues } = parseStatistics({ stats: `{"minValues":{${fields.join(',')}}}` })
      expect(names.map((name) => minValues?.[name])).toEqual(names.map((name) => columns[name]?.expected))
    }),
  )
})

test('where numbers cannot be written with all their digits, none is written with others', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (integer) => {
      const number = exactNumber(String(integer))
      expect(number === null || BigInt(number) === integer).toBe(true)
    }),
  )
  expect(exactNumber('-1234567890123.45')).toBe(-1234567890123.45)
  expect(exactNumber('12345678901234567.8')).toBeNull()
})
