import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FlatBlocks } from './flat-file.ts'
import { Reordering } from './reordering.ts'
import { NO_NAME, POSTING_SHIFT, TextIndexBuilder } from './text-index-builder.ts'
import { TextKernel } from './text-kernel.ts'
import { tokens } from './tokenizer.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-text-index-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function newFolder(): string {
  return mkdtempSync(join(folder, 'index-'))
}

/** The index as its documentation says, over lists of words. */
function plainIndex(documents: readonly (readonly string[])[], earlier: readonly string[]) {
  const terms = [...new Set([...earlier, ...documents.flat()])]
  const postings = terms.map((term) =>
    documents.flatMap((words, document) => {
      const frequency = words.filter((word) => word === term).length
      return frequency === 0 ? [] : [(document << POSTING_SHIFT) + Math.min(7, frequency)]
    }),
  )
  return { terms, postings, lengths: documents.map((words) => Math.min(255, words.length)) }
}

function asAdded({ textCount }: TextKernel): Uint32Array {
  return Uint32Array.from({ length: textCount }, (_, text) => text)
}

function written(blocks: FlatBlocks): Uint32Array {
  const values = new Uint32Array(blocks.length)
  let at = 0
  for (const block of blocks) {
    values.set(block, at)
    at += block.length
  }
  return values
}

function indexOf(builder: TextIndexBuilder, kernel: TextKernel, order = asAdded(kernel)) {
  const sections = builder.sections(new Reordering(newFolder(), [order]))
  const offsets = sections['postings.offsets'] as Uint32Array
  const postings = written(sections.postings as FlatBlocks)
  return {
    terms: Array.from({ length: kernel.terms.count }, (_, term) => kernel.terms.text(term)),
    postings: Array.from({ length: offsets.length - 1 }, (_, term) => [
      ...postings.subarray(offsets[term], offsets[term + 1]),
    ]),
    lengths: [...written(sections['documents.lengths'] as FlatBlocks)],
  }
}

const piece = fc.oneof(
  fc.constantFrom(
    'red',
    'Mugs',
    'boxes',
    'babies',
    'glass',
    "king's",
    'shoes',
    'necklace',
    'Necklaces',
    'onecklace',
    'galaxies',
    'bus',
    'ties',
    'x',
    '12',
    "'",
    's',
  ),
  fc.constantFrom(
    'Café',
    'Größe',
    'स्मार्टवॉच',
    '’s',
    '™',
    'ﷺ',
    '…',
    '–',
    '\u0301',
    '😀',
    'İ',
    'Σ',
    'ﬁ',
    '１２',
  ),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
  fc.constantFrom(
    'x'.repeat(63),
    's'.repeat(64),
    `${'y'.repeat(64)}s`,
    `${'z'.repeat(61)}ies`,
    'é'.repeat(33),
  ),
)
const text = fc
  .array(fc.tuple(piece, fc.constantFrom('', ' ', '-', ', ')), { maxLength: 12 })
  .map((all) => all.flat().join(''))

test('any texts give the index that their tokens give, in any order of documents', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (texts, numbers) => {
      const kernel = new TextKernel()
      const builder = new TextIndexBuilder(kernel, newFolder(), 1 + (texts.length % 7))
      for (const one of texts)
        builder.add(Buffer.from(`<${one}>`), { from: 1, to: 1 + Buffer.byteLength(one) })
      const order = texts.map((_, n) => n).sort(() => (numbers.next().value! % 3) - 1)
      const read = texts.map((one) => tokens(one))
      const expected = plainIndex(
        order.map((n) => read[n]!),
        read.flat(),
      )
      expect(indexOf(builder, kernel, Uint32Array.from(order))).toEqual(expected)
      builder.close()
    }),
    { numRuns: 200 },
  )
})

test('more words than are kept at hand are found again', () => {
  const kernel = new TextKernel()
  const builder = new TextIndexBuilder(kernel, newFolder())
  const words = Array.from({ length: 30_000 }, (_, n) => `w${n}`)
  for (const text of [words.join(' '), words.toReversed().join(' '), 'w0 w29999']) {
    const bytes = Buffer.from(text)
    builder.add(bytes, { from: 0, to: bytes.length })
  }
  const { terms, postings } = indexOf(builder, kernel)
  expect(terms).toEqual(words)
  const ofEach = words.map((_, n) => (n === 0 || n === 29_999 ? [1, 9, 17] : [1, 9]))
  expect(postings).toEqual(ofEach)
})

test('names are part of the texts that bear them', () => {
  const kernel = new TextKernel()
  const builder = new TextIndexBuilder(kernel, newFolder())
  builder.setNames(['Red Mugs', '', 'Café & Cups'])
  const titles = ['a mug', 'two', 'old café']
  const names = [0, NO_NAME, 2]
  const place = kernel.load(Buffer.from(titles.join('')))
  const rows = kernel.rows(3)
  let at = place
  for (const [row, title] of titles.entries()) {
    rows.titleStarts[row] = at
    rows.titleBytes[row] = Buffer.byteLength(title)
    rows.names[row] = names[row]!
    at += Buffer.byteLength(title)
  }
  builder.addRows(rows, 3)
  const expected = plainIndex(
    [['a', 'mug', 'red', 'mug'], ['two'], ['old', 'cafe', 'cafe', 'cup']],
    ['red', 'mug', 'cafe', 'cup'],
  )
  expect(indexOf(builder, kernel)).toEqual(expected)
})

test('more terms, texts and entries than the first rooms hold', () => {
  const kernel = new TextKernel()
  const builder = new TextIndexBuilder(kernel, newFolder())
  const documents = Array.from({ length: 9_000 }, (_, n) =>
    Array.from({ length: 130 }, (_, m) => `w${(n * 7 + m * m) % 20_011}`),
  )
  for (const words of documents) {
    const bytes = Buffer.from(words.join(' '))
    builder.add(bytes, { from: 0, to: bytes.length })
  }
  const found = builder.sections(new Reordering(newFolder(), [asAdded(kernel)]))
  const offsets = found['postings.offsets'] as Uint32Array
  const postings = written(found.postings as FlatBlocks)
  const sums = new Map<string, number>()
  for (const words of documents) for (const word of new Set(words)) sums.set(word, (sums.get(word) ?? 0) + 1)
  expect(kernel.terms.count).toBe(sums.size)
  expect(offsets.at(-1)).toBeGreaterThan(1 << 20)
  for (const [word, sum] of sums) {
    const term = kernel.terms.findText(word)
    const its = postings.subarray(offsets[term], offsets[term + 1])
    expect([word, its.length]).toEqual([word, sum])
    expect(its.every((posting, n) => n === 0 || posting > its[n - 1]!)).toBe(true)
  }
})

test('more documents than are put in order at once, in the reverse order of their texts', () => {
  const kernel = new TextKernel()
  const builder = new TextIndexBuilder(kernel, newFolder(), 100_000)
  const count = 140_001
  for (let n = 0; n < count; n++) {
    const bytes = Buffer.from(`all w${n % 3}`)
    builder.add(bytes, { from: 0, to: bytes.length })
  }
  const order = Uint32Array.from({ length: count }, (_, document) => count - 1 - document)
  const { terms, postings } = indexOf(builder, kernel, order)
  expect(terms).toEqual(['all', 'w0', 'w1', 'w2'])
  const documentsOf = (list: number[]) => list.map((posting) => posting >> POSTING_SHIFT)
  expect(documentsOf(postings[0]!)).toEqual([...order.keys()])
  for (const [n, list] of postings.slice(1).entries())
    expect(documentsOf(list)).toEqual([...order.keys()].filter((document) => order[document]! % 3 === n))
  builder.close()
})
