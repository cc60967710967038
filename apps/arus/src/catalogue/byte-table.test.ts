import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteTable } from './byte-table.ts'

function intern(table: ByteTable, text: string): number {
  const bytes = Buffer.from(text)
  return table.intern(bytes, 0, bytes.length)
}

test('numbers strings in order of first sight, finds them and gives them back', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 400 }), (texts) => {
      const table = ByteTable.empty()
      const expected = [...new Set(texts)]
      for (const text of texts) intern(table, text)
      expect(table.count).toBe(expected.length)
      expect(expected.map((text) => table.findText(text))).toEqual([...expected.keys()])
      expect(expected.map((_, number) => table.text(number))).toEqual(expected)
    }),
  )
})

test('keeps every string when its tables grow many times', () => {
  const table = ByteTable.empty()
  for (let i = 0; i < 50_000; i++) expect(intern(table, `product-${i}`)).toBe(i)
  for (let i = 0; i < 50_000; i += 97) expect(table.findText(`product-${i}`)).toBe(i)
  expect(table.findText('product-50000')).toBe(-1)
  const long = 'क'.repeat(5000)
  expect(table.findText(long)).toBe(-1)
  expect(intern(table, long)).toBe(50_000)
  expect(table.findText(long)).toBe(50_000)
})

test('orders strings by their bytes, and by a prefix', () => {
  const table = ByteTable.empty()
  const words = ['car', 'card', 'care', 'cat']
  for (const word of words) intern(table, word)
  expect([...table.sorted()]).toEqual([0, 1, 2, 3])
  const prefix = Buffer.from('card')
  expect(words.map((_, number) => Math.sign(table.comparePrefix(number, prefix)))).toEqual([-1, 0, 1, 1])
})
