import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bindParameters } from '../src/bind-parameters.ts'
import { typed } from '../src/literal.ts'

describe('parameters bound in the text', () => {
  test('positions and names', () => {
    expect(bindParameters('a = ? AND b = ?', [1, 'x'])).toBe("a = CAST('1' AS INT) AND b = 'x'")
    expect(bindParameters('a = :a AND b = :b AND c = :a', { a: true, b: null })).toBe(
      'a = TRUE AND b = NULL AND c = TRUE',
    )
  })

  test('markers within texts, names and comments are none, nor are casts and fields', () => {
    const text = "'?' \"?\" `?` -- ?\n /* ? :a */ x::INT v:a 'it''s \\' ?' :b ?"
    expect(bindParameters(text, { a: 1, b: 2 })).toBe(text.replace(':b', "CAST('2' AS INT)"))
    expect(bindParameters(text, [3])).toBe(text.replace(/\?$/, "CAST('3' AS INT)"))
  })

  test('what is not closed goes to the end', () => {
    for (const open of ["' ?", '" ?', '` ?', '/* ?', '-- ?'])
      expect(bindParameters(`? ${open}`, ['a', 'b'])).toBe(`'a' ${open}`)
  })

  test('a marker without a value stays', () => {
    expect(bindParameters('? ? :b', [1])).toBe("CAST('1' AS INT) ? :b")
  })

  test('values of every type', () => {
    const at = new Date(5)
    const all = [1.5, 2n ** 53n, at, new Uint8Array([1, 255]), [1], new Map([['k', 1n]]), { x: null }]
    const more = [
      typed('-0.50', 'decimal'),
      typed('2024-02-29', 'date'),
      typed('2024-02-29T01:02:03', 'timestamp_ntz'),
    ]
    expect(bindParameters(Array(10).fill('?').join(';'), [...all, ...more]).split(';')).toEqual([
      "CAST('1.5' AS DOUBLE)",
      "CAST('9007199254740992' AS BIGINT)",
      'timestamp_micros(5000)',
      "X'01ff'",
      "array(CAST('1' AS INT))",
      "map('k', CAST('1' AS BIGINT))",
      "named_struct('x', NULL)",
      "CAST('-0.50' AS DECIMAL(2, 2))",
      "DATE'2024-02-29'",
      "TIMESTAMP_NTZ'2024-02-29T01:02:03.000000'",
    ])
  })

  test('no text of a value reaches the statement unless it means itself between quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const bound = bindParameters('?', [value])
        expect(bound).toMatch(/^'[\w .,:;/@+=()-]*'$|^CAST\(X'[0-9a-f]*' AS STRING\)$/)
        const hex = /X'(.*)'/.exec(bound)?.[1]
        expect(hex === undefined ? bound.slice(1, -1) : Buffer.from(hex, 'hex').toString()).toBe(value)
      }),
    )
  })
})
