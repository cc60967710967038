import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Action } from '../src/actions.ts'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { canonicalPath } from '../src/log-paths.ts'
import { readCheckpoint } from '../src/read-checkpoint.ts'
import { sortByBytes, sortsAfter } from '../src/storage-paths.ts'
import { TestFolder } from './test-table.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.includes('\0'))
const path = text.map((value) => `p/${encodeURIComponent(value.toWellFormed())}`)
const number = fc.integer({ min: 0, max: 2 ** 40 })
const partitionValues = fc.dictionary(fc.constantFrom('a', 'b'), fc.option(fc.constantFrom('x', 'é"', '1')))
const shared = {
  tags: fc.constant({ k: 'v' }),
  deletionVector: fc.constant({
    storageType: 'i',
    pathOrInlineDv: 'x',
    sizeInBytes: 3,
    cardinality: 2,
  }),
}
/** These come together or not at all. */
const rowIds = fc.option(fc.record({ baseRowId: number, defaultRowCommitVersion: number }), { nil: {} })
const add = fc.record(
  {
    path,
    partitionValues,
    size: number,
    modificationTime: number,
    dataChange: fc.constant(false),
    stats: text.map((value) => JSON.stringify({ numRecords: 1, minValues: { a: value.toWellFormed() } })),
    ...shared,
  },
  { requiredKeys: ['path', 'partitionValues', 'size', 'modificationTime', 'dataChange'] },
)
const remove = fc.record(
  {
    path,
    dataChange: fc.constant(false),
    deletionTimestamp: number,
    partitionValues,
    size: number,
    extendedFileMetadata: fc.boolean(),
    ...shared,
  },
  { requiredKeys: ['path', 'dataChange', 'partitionValues'] },
)

test('a checkpoint gives back the files written into it, whichever fields each has', async () => {
  const engine = await DuckDbParquetEngine.open()
  using folder = new TestFolder()
  const file = join(folder.root, 'checkpoint.parquet')
  const files = fc.array(
    fc.oneof(
      fc.tuple(add, rowIds).map(([file, ids]): Action => ({ add: { ...file, ...ids } })),
      fc.tuple(remove, rowIds).map(([file, ids]): Action => ({ remove: { ...file, ...ids } })),
    ),
    { maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(files, async (actions) => {
      await engine.writeActions(file, actions)
      expect(sorted(await readCheckpoint(file))).toEqual(sorted(actions))
    }),
    { numRuns: 60 },
  )
})

test('a path means the same file with and without the short way round decoding', () => {
  const any = fc.oneof(text, path, path.map(decodeURIComponent))
  const prefix = fc.constantFrom('', 'file:', 'file:/', 'file:///', 'file%3A/', 's3://b/')
  fc.assert(
    fc.property(prefix, any, (before, rest) => {
      expect(canonicalPath(before + rest)).toBe(canonicalPathInFull(before + rest))
    }),
  )
})

test('names sort after one another as their bytes do', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 4 })
  fc.assert(
    fc.property(name, name, (a, b) => {
      const isAfter = Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0
      expect(sortsAfter(a, b)).toBe(isAfter)
      expect(sortByBytes([a, b])).toEqual(isAfter ? [b, a] : [a, b])
    }),
  )
})

/** Order of the files does not matter, nor does that of their fields. */
function sorted(actions: readonly Action[]): Action[] {
  return actions.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

function key({ add, remove }: Action): string {
  const fields = Object.entries(add ?? remove ?? {}).map(([name, value]) => [name, ordered(value)])
  return JSON.stringify([add === undefined, ordered(Object.fromEntries(fields))])
}

function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}

function canonicalPathInFull(path: string): string {
  let decoded = path
  try {
    decoded = decodeURIComponent(path)
  } catch {}
  if (/^([a-z][a-z0-9+.-]*:|\/)/i.test(decoded)) return decoded.replace(/^file:\/{1,3}(?=[^/])/, '/')
  const parts = decoded.split('/').filter((part) => part !== '' && part !== '.')
  return parts.join('/')
}

test('a checkpoint is written in little memory, lines of megabytes in it too', async () => {
  using folder = new TestFolder()
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '128MiB', threads: '2' })
  const small = new DuckDbParquetEngine(await instance.connect())
  const stats = JSON.stringify({ numRecords: 1, minValues: { a: 'é'.repeat(3_000_000) } })
  const add = { path: 'p/x', partitionValues: {}, size: 1, modificationTime: 1, dataChange: false, stats }
  const file = join(folder.root, 'large.parquet')
  await small.writeActions(file, [{ add }])
  expect((await readCheckpoint(file)).find((action) => action.add)?.add?.stats).toBe(stats)
})
