import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ColumnFile } from './column-file.ts'
import type { FlatArray, FlatBlocks } from './flat-file.ts'
import { Reordering } from './reordering.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-reordering-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function all(blocks: FlatBlocks): number[] {
  const values: number[] = []
  for (const block of blocks) for (const value of block) values.push(value)
  return values
}

test('columns of any kind and length are put in order, however little is put in order at once', () => {
  // Lengths below, at and beyond that of a block.
  for (const length of [0, 3, 1 << 15, 70_001]) {
    for (const groupBits of [7, 15, 19]) {
      const lines = Uint32Array.from({ length }, (_, n) => (n * 7919) % length)
      const order = new Reordering(mkdtempSync(join(folder, 'order-')), [lines], groupBits)
      expect([order.count, all(order.lines.blocks())]).toEqual([length, [...lines]])
      const documents = all(order.documents.blocks())
      expect(documents.every((document, line) => lines[document] === line)).toBe(true)
      for (const Kind of [Uint8Array, Uint16Array, Uint32Array, Float32Array, Float64Array]) {
        const values = Kind.from(Array.from({ length }, (_, line) => line * 1.5))
        const column = new ColumnFile<FlatArray>(join(folder, 'column'), Kind)
        for (let at = 0; at < length; at += 2048) column.append(values.subarray(at, at + 2048))
        const found = order.byDocument(column)
        expect(found.length).toBe(length)
        expect(found.like).toBeInstanceOf(Kind)
        expect(all(found)).toEqual(Array.from(lines, (line) => values[line]))
        column.close()
        rmSync(join(folder, 'column'))
      }
      order.close()
    }
  }
})
