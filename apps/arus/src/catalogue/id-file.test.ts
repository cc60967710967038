import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ByteTable } from './byte-table.ts'
import { ColumnFile } from './column-file.ts'
import { readFlatFile, writeFlatFile } from './flat-file.ts'
import { HashSlots } from './hash-slots.ts'
import { IdFile } from './id-file.ts'
import { TextKernel } from './text-kernel.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-id-file-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Appends ids as a build does, `batch` at a time. */
function idFile(ids: readonly string[], batch: number, work: string): IdFile {
  const kernel = new TextKernel()
  const file = new IdFile(work)
  for (let first = 0; first < ids.length; first += batch) {
    const part = ids.slice(first, first + batch).map((id) => Buffer.from(id))
    const rows = kernel.rows(part.length)
    let at = kernel.load(Buffer.concat(part))
    for (const [row, id] of part.entries()) {
      rows.idStarts[row] = at
      rows.idBytes[row] = id.length
      at += id.length
    }
    file.append(kernel.gatherIds(rows, part.length))
  }
  return file
}

test('ids are found by the table that is read of them, and given back by line', () => {
  const distinct = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 200 })
  fc.assert(
    fc.property(distinct, fc.integer({ min: 1, max: 50 }), (ids, batch) => {
      const work = mkdtempSync(join(folder, 'ids-'))
      const file = idFile(ids, batch, work)
      writeFlatFile(join(work, 'index'), file.sections('ids'))
      const table = ByteTable.load(readFlatFile(join(work, 'index')), 'ids')
      expect(ids.map((id) => table.findText(id))).toEqual([...ids.keys()])
      expect(table.findText('none of them, as it is longer than they are')).toBe(-1)
      const middle = file.list(ids.length >> 1, ids.length - (ids.length >> 1))
      expect(Array.from({ length: middle.count }, (_, n) => middle.text(n))).toEqual(
        ids.slice(ids.length >> 1),
      )
      file.close()
    }),
    { numRuns: 50 },
  )
})

test('an id that comes twice is named, however far apart', () => {
  const work = mkdtempSync(join(folder, 'ids-'))
  const ids = Array.from({ length: 300_000 }, (_, n) => `B${n}`)
  const file = idFile([...ids, 'B77'], 2048, work)
  expect(() => file.sections('ids')).toThrow(
    expect.objectContaining({ code: 'INTERNAL', message: expect.stringContaining('B77 came twice') }),
  )
  file.close()
})

/** Numbers whose slots are probed from `hash & mask` on. */
function find(slots: Uint32Array, hashes: readonly number[], hash: number): number[] {
  const found: number[] = []
  for (let slot = hash & (slots.length - 1); slots[slot] !== 0; slot = (slot + 1) % slots.length)
    if (hashes[slots[slot]! - 1] === hash) found.push(slots[slot]! - 1)
  return found
}

test('slots filled a range at a time find all that were hashed, also where they meet at the end of a range', () => {
  // Few values, so that many meet; the greatest, so that they go beyond the last slot.
  const hash = fc.oneof(
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.integer({ min: 0xffff_fff0, max: 0xffff_ffff }),
    fc.integer({ min: 6, max: 8 }),
  )
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 38 }), fc.constantFrom(0, 2, 3, 5, 6), (hashes, rangeBits) => {
      const work = mkdtempSync(join(folder, 'slots-'))
      const column = new ColumnFile(join(work, 'hashes'), Uint32Array)
      column.append(Uint32Array.from(hashes))
      const same: [number, number][] = []
      const refuseSame = (left: number, right: number) => same.push([left, right])
      const table = new HashSlots(column, {
        file: join(work, 'slots'),
        slotCount: 64,
        refuseSame,
        rangeBits,
      })
      const slots = Uint32Array.from([...table].flatMap((block) => [...block]))
      expect([slots.length, table.length]).toEqual([64, 64])
      expect(slots.filter((slot) => slot > 0).sort()).toEqual(
        Uint32Array.from(hashes.keys(), (n) => n + 1).sort(),
      )
      for (const one of hashes)
        expect(find(slots, hashes, one).sort((a, b) => a - b)).toEqual(
          [...hashes.keys()].filter((n) => hashes[n] === one),
        )
      for (const [left, right] of same) expect(hashes[left]).toBe(hashes[right])
      // Whoever comes later is told of one of those before it.
      const told = new Set(same.map(([, right]) => right))
      for (const [n, one] of hashes.entries()) if (hashes.indexOf(one) < n) expect(told).toContain(n)
      table.close()
      column.close()
    }),
    { numRuns: 300 },
  )
})
