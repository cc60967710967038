import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseStatistics, statisticsParser } from '../src/statistics.ts'

/** A value as it stands in JSON, or what is none. */
const literal = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '0', '-0', '-0.0', '0.1', '1.50', '7', '-12', '999.5'),
  fc.constantFrom('1e400', '-1E-7', '2.5e3', '999999999999999', '9999999999999999', '12345678901234567890'),
  fc.constantFrom('-9223372036854775808', '0.1234567890123456789', '123456789.123456789', '[1, 2]', '{}'),
  // No JSON: the statistics are empty then.
  fc.constantFrom(
    '00',
    '01',
    '1.',
    '.5',
    '-',
    '+1',
    'nul',
    'truex',
    'NaN',
    '"a',
    '"\n"',
    '"\\x"',
    '"\u0001"',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc
    .string({ unit: fc.constantFrom('a', 'Z', ' ', '"', '\\', '\n', 'é', '😀', '{', '}', ',', ':') })
    .map((value) => JSON.stringify(value)),
)
const keyName = fc.oneof(
  fc.constantFrom('id', 'price', 'a b', '__proto__', '1', 'é', 'q"', '{', 'toString', 'numRecords'),
  fc.string({ maxLength: 4 }),
)

type Shape = readonly (readonly [key: string, within: Shape | null])[]
const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.array(
    fc.tuple(keyName, fc.option(tie('shape'), { nil: null, depthSize: 'small', maxDepth: 2 })),
    { maxLength: 4 },
  ),
}))

/** Texts of one shape with other values, each as `blank` says with blanks between. */
function textOf(of: Shape, literals: Iterator<string>, blank: string): string {
  const members = of.map(([key, within]) => {
    const value = within === null ? (literals.next().value ?? '0') : textOf(within, literals, blank)
    return `${JSON.stringify(key)}:${blank}${value}`
  })
  return `{${members.join(`,${blank}`)}}`
}

const table = fc.record({
  shapes: fc.array(shape, { minLength: 1, maxLength: 3 }),
  files: fc.array(
    fc.record({
      which: fc.nat(),
      literals: fc.array(literal, { maxLength: 12 }),
      blank: fc.constantFrom('', '', '', ' '),
      cut: fc.option(fc.nat({ max: 80 }), { freq: 8, nil: null }),
    }),
    { minLength: 2, maxLength: 12 },
  ),
})

test('statistics are what JSON.parse gives, whatever the files before were like', () => {
  fc.assert(
    fc.property(table, ({ shapes, files }) => {
      const parse = statisticsParser()
      for (const { which, literals, blank, cut } of files) {
        const whole: Shape = [
          ['numRecords', null],
          ['minValues', shapes[which % shapes.length]!],
          ['maxValues', shapes[0]!],
        ]
        const text = textOf(whole, literals[Symbol.iterator](), blank)
        const file = { stats: cut === null ? text : text.slice(0, cut) }
        expect([file.stats, parse(file)]).toStrictEqual([file.stats, parseStatistics(file)])
      }
    }),
    { numRuns: 2_000 },
  )
})

describe('files like one another', () => {
  const stats = (rows: number | string, name: string) =>
    `{"numRecords":${rows},"minValues":{"id":1,"at":{"x":-0.5}},"maxValues":{"id":${rows},"name":"${name}"},"nullCount":{"id":0}}`

  test('are read in the order of their keys, digits beyond 2^53 kept', () => {
    const parse = statisticsParser()
    for (const file of [stats(1, 'a'), stats(-0, 'b'), stats('9007199254740993', 'é'), stats(3, '\\u0041')]) {
      const found = parse({ stats: file })
      expect(found).toStrictEqual(parseStatistics({ stats: file }))
      expect(JSON.stringify(found)).toBe(JSON.stringify(parseStatistics({ stats: file })))
    }
  })

  test('a shorter text is not completed by the one before', () => {
    const parse = statisticsParser()
    const text = stats(12, 'name')
    parse({ stats: text })
    for (let length = 0; length < text.length; length++)
      expect(parse({ stats: text.slice(0, length) })).toEqual({})
  })

  test('files without statistics have none', () => {
    expect(statisticsParser()({})).toEqual({})
    expect(statisticsParser()({ stats: null })).toEqual({})
  })
})
