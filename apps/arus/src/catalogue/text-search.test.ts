import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readFlatFile, writeFlatFile } from './flat-file.ts'
import { Reordering } from './reordering.ts'
import { TextIndex } from './text-index.ts'
import { TextIndexBuilder } from './text-index-builder.ts'
import { TextKernel } from './text-kernel.ts'
import { CANDIDATES_MAX, searchText } from './text-search.ts'

const ALL = { limit: 1000, offset: 0, within: null, accepts: () => true }

function indexOf(titles: readonly string[]): TextIndex {
  const folder = mkdtempSync(join(tmpdir(), 'arus-index-'))
  const builder = new TextIndexBuilder(new TextKernel(), folder)
  for (const title of titles) builder.add(Buffer.from(title), { from: 0, to: Buffer.byteLength(title) })
  try {
    writeFlatFile(
      join(folder, 'i.bin'),
      builder.sections(new Reordering(folder, [Uint32Array.from(titles.keys())])),
    )
    return new TextIndex(readFlatFile(join(folder, 'i.bin')))
  } finally {
    builder.close()
    rmSync(folder, { recursive: true })
  }
}

/** BM25 written out plainly over lists of words. */
function plainBm25(titles: readonly string[][], query: readonly string[], document: number): number {
  const mean = titles.reduce((sum, title) => sum + title.length, 0) / titles.length
  const title = titles[document]!
  return query.reduce((sum, word) => {
    const frequency = title.filter((other) => other === word).length
    const holders = titles.filter((other) => other.includes(word)).length
    const idf = Math.log(1 + (titles.length - holders + 0.5) / (holders + 0.5))
    return sum + (idf * frequency * 2.2) / (frequency + 1.2 * (0.25 + (0.75 * title.length) / mean))
  }, 0)
}

const word = fc.constantFrom('red', 'blue', 'mug', 'cup', 'big', 'old')

test('finds what a plain BM25 over every document finds, in its order', () => {
  const titles = fc.array(fc.array(word, { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 40 })
  const query = fc.uniqueArray(word, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(titles, query, (documents, words) => {
      const index = indexOf(documents.map((title) => title.join(' ')))
      const expected = documents
        .map((title, document) => ({ document, isMatch: words.every((other) => title.includes(other)) }))
        .filter(({ isMatch }) => isMatch)
        .map(({ document }) => ({ document, score: plainBm25(documents, words, document) }))
      fc.pre(expected.length > 0)
      // A final blank: the last word is a whole word.
      const found = searchText(index, { ...ALL, text: `${words.join(' ')} ` })
      expect(found.total).toBe(expected.length)
      expect(found.totalIsExact).toBe(true)
      const scoreOf = new Map(expected.map(({ document, score }) => [document, score]))
      for (const hit of found.hits) expect(hit.score).toBeCloseTo(scoreOf.get(hit.document)!, 4)
      for (let i = 1; i < found.hits.length; i++) {
        expect(found.hits[i - 1]!.score).toBeGreaterThanOrEqual(found.hits[i]!.score)
      }
    }),
    { numRuns: 60 },
  )
})

test('a word that stands in more documents than the bound gives an inexact total, best known first', () => {
  const builder: string[] = Array.from({ length: CANDIDATES_MAX + 10 }, () => 'mug')
  const found = searchText(indexOf(builder), { ...ALL, limit: 3, text: 'mug' })
  expect(found).toMatchObject({ total: CANDIDATES_MAX, totalIsExact: false })
  expect(found.hits.map(({ document }) => document)).toEqual([0, 1, 2])
})
