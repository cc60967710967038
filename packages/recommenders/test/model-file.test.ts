import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fitWalk, loadModel, modelFile, readModelFile, sizeBytesOf, wholeFile } from '../src/index.ts'
import { blocks, user } from './matrices.ts'

const scores = Float32Array.of(1.5, -2, 0.25)
const nested = modelFile('popular', {}, { scores })
const bundle = modelFile(
  'bundle',
  { chosen: 'popular', kinds: ['popular'] },
  {
    products: Uint8Array.of(1, 2, 3),
    'model/popular': nested,
    none: new Uint32Array(),
    last: Float64Array.of(1),
  },
)

test('a file with another within it has the bytes it had when it was written in one piece', () => {
  const bytes = wholeFile(bundle)
  expect(sizeBytesOf(bundle)).toBe(608)
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(
    '591e814625d225b3feafab90cd1b8813536b5abd7603efb7b548a38e8e82453c',
  )
})

test('parts are views of what the file is made of, that of a file within it too', () => {
  expect(nested.filter(({ buffer }) => buffer === scores.buffer)).toHaveLength(1)
  expect(bundle.filter(({ buffer }) => buffer === scores.buffer)).toHaveLength(1)
})

test('a file within a file is aligned as it is by itself, so that it is read where it lies', () => {
  const bytes = wholeFile(bundle)
  const inner = readModelFile(readModelFile(bytes).u8('model/popular'))
  expect(inner.f32('scores')).toEqual(scores)
  expect(inner.f32('scores').buffer).toBe(bytes.buffer)
})

test('text beyond ASCII fits into the header', () => {
  const meta = { name: 'é😀'.repeat(50) }
  const file = readModelFile(wholeFile(modelFile('any', meta, { items: Uint32Array.of(7) })))
  expect(file.meta).toEqual(meta)
  expect(file.u32('items')).toEqual(Uint32Array.of(7))
})

test('parts are written to a file as they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-model-file-'))
  try {
    const model = fitWalk(blocks())
    await writeFile(join(folder, 'model'), model.file())
    const loaded = loadModel(readFileSync(join(folder, 'model')))
    expect(loaded.recommend(user(1), { k: 5 })).toEqual(model.recommend(user(1), { k: 5 }))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
