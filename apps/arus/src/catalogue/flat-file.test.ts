import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ColumnFile } from './column-file.ts'
import { type FlatArray, readFlatFile, writeFlatFile } from './flat-file.ts'
import { gathered, gatheredBlocks } from './gather.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-flat-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('gives back every array as it was written, empty ones too', () => {
  const file = join(folder, 'a.bin')
  writeFlatFile(file, {
    bytes: Uint8Array.of(1, 2, 3),
    nothing: new Uint32Array(0),
    numbers: Uint32Array.of(0, 4_294_967_295),
    halves: Uint16Array.of(65_535),
    reals: Float32Array.of(0.5, -1),
  })
  const reader = readFlatFile(file)
  expect([...reader.u8('bytes')]).toEqual([1, 2, 3])
  expect([...reader.u32('nothing')]).toEqual([])
  expect([...reader.u32('numbers')]).toEqual([0, 4_294_967_295])
  expect([...reader.u16('halves')]).toEqual([65_535])
  expect([...reader.f32('reals')]).toEqual([0.5, -1])
  expect(() => reader.u8('numbers')).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }))
})

test('a section gathered as it is written is the one gathered before, of any kind and length', () => {
  const file = join(folder, 'a.bin')
  const blocks: Record<string, ReturnType<typeof gatheredBlocks>> = {}
  const columns: ColumnFile[] = []
  const memory = new Uint8Array(8 * 70_001)
  const whole: Record<string, ReturnType<typeof gathered>> = {}
  for (const Kind of [Uint8Array, Uint16Array, Uint32Array, Float32Array, Float64Array]) {
    // Lengths below, at and beyond that of a block.
    for (const length of [0, 3, 1 << 15, 70_001]) {
      const order = Uint32Array.from({ length }, (_, n) => (n * 7919) % length)
      const values = Kind.from(Array.from(order, (n) => n * 1.5))
      const column = new ColumnFile<FlatArray>(join(folder, `${Kind.name} ${length}`), Kind)
      for (let at = 0; at < length; at += 2048)
        column.append(Float64Array.from(values.subarray(at, at + 2048)))
      columns.push(column)
      blocks[`${Kind.name} ${length}`] = gatheredBlocks(column, order, memory)
      whole[`${Kind.name} ${length}`] = gathered(values, order)
    }
  }
  writeFlatFile(file, blocks)
  for (const column of columns) column.close()
  const written = readFileSync(file)
  writeFlatFile(join(folder, 'b.bin'), whole)
  expect(written.equals(readFileSync(join(folder, 'b.bin')))).toBe(true)
  expect(readFlatFile(file).f64('Float64Array 70001')[1]).toBe(((7919 * 7919) % 70_001) * 1.5)
})

test('a file that was cut off anywhere is refused', () => {
  const file = join(folder, 'a.bin')
  writeFlatFile(file, { numbers: Uint32Array.of(1, 2, 3, 4) })
  const whole = readFileSync(file)
  for (let length = 0; length < whole.length; length += 7) {
    writeFileSync(file, whole.subarray(0, length))
    expect(() => readFlatFile(file)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }))
  }
})
