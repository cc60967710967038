import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ByteTable } from './byte-table.ts'
import { TextKernel } from './text-kernel.ts'

/** Tables are made by the kernel, of which each has one of terms. */
function numbersOf(kernel: TextKernel, texts: readonly string[]): number[] {
  return texts.map((text) => {
    const bytes = Buffer.from(text)
    return kernel.exports.termOf(kernel.load(bytes), bytes.length)
  })
}

function tableOf(texts: readonly string[]): ByteTable {
  const kernel = new TextKernel()
  numbersOf(kernel, texts)
  return kernel.terms
}

test('numbers strings in order of first sight, finds them and gives them back', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 400 }), (texts) => {
      const kernel = new TextKernel()
      const expected = [...new Set(texts)]
      expect(numbersOf(kernel, texts)).toEqual(texts.map((text) => expected.indexOf(text)))
      const table = kernel.terms
      expect(table.count).toBe(expected.length)
      expect(expected.map((text) => table.findText(text))).toEqual([...expected.keys()])
      expect(expected.map((_, number) => table.text(number))).toEqual(expected)
    }),
  )
})

test('keeps every string when its tables grow many times', () => {
  const long = 'क'.repeat(5000)
  const texts = Array.from({ length: 50_000 }, (_, n) => `product-${n}`)
  const table = tableOf([...texts, long])
  for (let n = 0; n < 50_000; n += 97) expect(table.findText(`product-${n}`)).toBe(n)
  expect(table.findText('product-50000')).toBe(-1)
  expect(table.findText(long)).toBe(50_000)
  expect(table.findText(`${long}क`)).toBe(-1)
})

test('more strings than there was room for from the start', () => {
  const kernel = new TextKernel()
  // More than 2 ** 20 strings, and more than 2 ** 24 bytes.
  const count = 1_100_000
  const bytes = kernel.room(16)
  for (let n = 0; n < count; n++) {
    bytes.write(n.toString().padStart(16, '0'), 'latin1')
    if (kernel.exports.termOf(bytes.byteOffset, 16) !== n) throw new Error(`${n} has another number`)
  }
  const table = kernel.terms
  expect(table.count).toBe(count)
  for (const n of [0, 1, 1_048_574, 1_048_575, 1_048_576, count - 1]) {
    const text = n.toString().padStart(16, '0')
    expect([table.findText(text), table.text(n)]).toEqual([n, text])
  }
  expect(table.findText('x')).toBe(-1)
})

test('orders strings by their bytes, and by a prefix', () => {
  const words = ['cat', 'car', 'care', 'card']
  const table = tableOf(words)
  expect(Array.from(table.sorted(), (number) => words[number])).toEqual(['car', 'card', 'care', 'cat'])
  const prefix = Buffer.from('card')
  expect(words.map((_, number) => Math.sign(table.comparePrefix(number, prefix)))).toEqual([1, -1, 1, 0])
})
