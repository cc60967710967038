import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readFlatFile, writeFlatFile } from './flat-file.ts'

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

test('a file that was cut off anywhere is refused', () => {
  const file = join(folder, 'a.bin')
  writeFlatFile(file, { numbers: Uint32Array.of(1, 2, 3, 4) })
  const whole = readFileSync(file)
  for (let length = 0; length < whole.length; length += 7) {
    writeFileSync(file, whole.subarray(0, length))
    expect(() => readFlatFile(file)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }))
  }
})
