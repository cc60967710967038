import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Action, parseCommit } from '../src/actions.ts'
import { checkpointActions } from '../src/checkpoint.ts'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { column, DeltaTable, fileKey, type Snapshot } from '../src/index.ts'
import { paddedVersion } from '../src/log-names.ts'
import { TestFolder } from './test-table.ts'

let engine: DuckDbParquetEngine
beforeAll(async () => {
  engine = await DuckDbParquetEngine.open()
})

const schema = { type: 'struct' as const, fields: [column('n', 'long')] }
const change = fc.record({
  add: fc.integer({ min: 0, max: 3 }),
  remove: fc.integer({ min: 0, max: 2 }),
  vector: fc.boolean(),
  txn: fc.boolean(),
  property: fc.boolean(),
})
const history = fc.array(change, { minLength: 3, maxLength: 14 })
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

/** A table with any history of added and removed files, deletion vectors, transactions and properties. */
async function withHistory(folder: TestFolder, changes: readonly Change[]): Promise<DeltaTable> {
  const table = await DeltaTable.create(folder.options(engine), {
    schema,
    properties: { 'delta.checkpointInterval': '1000' },
  })
  const log = join(table.storage.location, '_delta_log')
  let files: NonNullable<Action['add']>[] = []
  for (const [i, { add, remove, vector, txn, property }] of changes.entries()) {
    const removed = files.slice(0, remove)
    const kept = files.slice(remove)
    const added = Array.from({ length: add }, (_, k) => ({
      path: `f%20${i}-${k}.parquet`,
      partitionValues: {},
      size: 1,
      modificationTime: i,
      dataChange: true,
      stats: '{"numRecords":1}',
    }))
    const [first] = vector ? kept : []
    const deletionVector = { storageType: 'i', pathOrInlineDv: `v${i}`, sizeInBytes: 1, cardinality: 1 }
    const { metadata } = await table.snapshot()
    const actions: Action[] = [
      { commitInfo: { timestamp: i, operation: 'WRITE' } },
      ...[...removed, ...(first ? [first] : [])].map((file) => ({
        remove: {
          path: file.path,
          dataChange: true,
          deletionTimestamp: Date.now(),
          ...(file.deletionVector ? { deletionVector: file.deletionVector } : {}),
        },
      })),
      ...added.map((file) => ({ add: file })),
      ...(first ? [{ add: { ...first, deletionVector } }] : []),
      ...(txn ? [{ txn: { appId: `app ${i % 3}`, version: i } }] : []),
      ...(property
        ? [{ metaData: { ...metadata, configuration: { ...metadata.configuration, at: String(i) } } }]
        : []),
    ]
    files = [...(first ? [{ ...first, deletionVector }, ...kept.slice(1)] : kept), ...added]
    writeFileSync(
      join(log, `${paddedVersion(i + 1)}.json`),
      actions.map((action) => JSON.stringify(action)).join('\n'),
    )
    expect([...(await table.snapshot()).files.keys()].sort()).toEqual(files.map(fileKey).sort())
  }
  return table
}

/** What two snapshots must agree on. */
function state({ version, files, tombstones, transactions, metadata }: Snapshot) {
  return {
    version,
    files: [...files.keys()].sort(),
    tombstones: [...tombstones.keys()].sort(),
    transactions: [...transactions.values()].map(({ appId, version: last }) => [appId, last]).sort(),
    configuration: metadata.configuration,
  }
}

const opened = async (folder: TestFolder) => (await DeltaTable.open(folder.options(engine))).snapshot()

describe('any history replays to the same state', () => {
  test('through a checkpoint at any version, classic or of version 2 with sidecars', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.boolean(), async (changes, at, isV2) => {
        using folder = new TestFolder()
        const table = await withHistory(folder, changes)
        const version = at % (changes.length + 1)
        const expected = state(await table.snapshot())
        const log = join(table.storage.location, '_delta_log')
        if (isV2) writeV2Checkpoint(log, await table.at({ version }))
        else await table.checkpoint(await table.at({ version }))
        for (let old = 0; old <= version; old++) rmSync(join(log, `${paddedVersion(old)}.json`))
        expect(state(await opened(folder))).toEqual(expected)
      }),
      { numRuns: 15 },
    )
  })

  test('through compacted logs of any ranges, the commits gone or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 3 }),
        fc.boolean(),
        fc.constantFrom(writeCompacted, writeJoined),
        async (changes, ranges, removes, compact) => {
          using folder = new TestFolder()
          const table = await withHistory(folder, changes)
          const expected = state(await table.snapshot())
          const log = join(table.storage.location, '_delta_log')
          const covered = new Set<number>()
          for (const [a, b] of ranges) {
            const first = a % changes.length
            const last = first + 1 + (b % (changes.length - first))
            // Ranges that overlap could leave a gap between them once commits are gone.
            if (
              removes &&
              Array.from({ length: last - first + 1 }, (_, i) => first + i).some((one) => covered.has(one))
            )
              continue
            compact(log, first, last)
            for (let version = first; version <= last; version++) covered.add(version)
          }
          if (removes) for (const version of covered) rmSync(join(log, `${paddedVersion(version)}.json`))
          expect(state(await opened(folder))).toEqual(expected)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('whether it is followed commit by commit or opened at the end, and at every version', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (changes) => {
        using folder = new TestFolder()
        const table = await withHistory(folder, changes)
        expect(state(await opened(folder))).toEqual(state(await table.snapshot()))
        await table.checkpoint(await table.snapshot())
        for (let version = 0; version <= changes.length; version++)
          expect((await table.at({ version })).version).toBe(version)
      }),
      { numRuns: 10 },
    )
  })
})

test('a damaged checkpoint is passed over while the commits are there, and named once they are gone', async () => {
  using folder = new TestFolder()
  const table = await withHistory(
    folder,
    Array.from({ length: 6 }, () => ({ add: 1, remove: 0, vector: false, txn: true, property: false })),
  )
  const log = join(table.storage.location, '_delta_log')
  await table.checkpoint(await table.at({ version: 4 }))
  const [name = ''] = readdirSync(log).filter((one) => one.includes('checkpoint.parquet'))
  const bytes = readFileSync(join(log, name))
  writeFileSync(join(log, name), bytes.subarray(0, bytes.length / 2))
  expect((await opened(folder)).files.size).toBe(6)
  rmSync(join(log, `${paddedVersion(2)}.json`))
  await expect(opened(folder)).rejects.toMatchObject({ code: 'DELTA_LOG_CORRUPT' })
})

function writeV2Checkpoint(log: string, snapshot: Snapshot): void {
  const actions = checkpointActions(snapshot, 0)
  const files = actions.filter(({ add, remove }) => add || remove)
  const others = actions.filter(({ add, remove }) => !add && !remove)
  mkdirSync(join(log, '_sidecars'), { recursive: true })
  writeFileSync(
    join(log, `${paddedVersion(snapshot.version)}.checkpoint.${randomUUID()}.json`),
    [{ checkpointMetadata: { version: snapshot.version } }, ...others, ...files]
      .map((one) => JSON.stringify(one))
      .join('\n'),
  )
}

/** Joins the actions of some commits, newest first, as some writers compact logs. */
function writeJoined(log: string, first: number, last: number): void {
  const versions = Array.from({ length: last - first + 1 }, (_, i) => last - i)
  const texts = versions.map((version) =>
    readFileSync(join(log, `${paddedVersion(version)}.json`), 'utf8').trim(),
  )
  writeFileSync(
    join(log, `${paddedVersion(first)}.${paddedVersion(last)}.compacted.json`),
    `${texts.join('\n')}\n`,
  )
}

/** Reconciles the actions of some commits as the protocol says of log compaction. */
function writeCompacted(log: string, first: number, last: number): void {
  const latest = new Map<string, Action>()
  for (let version = first; version <= last; version++) {
    const path = join(log, `${paddedVersion(version)}.json`)
    const actions = parseCommit(readFileSync(path), path)
    // Within a commit a file may be removed and, with another vector, added.
    for (const action of [...actions].sort((a, b) => Number(Boolean(b.remove)) - Number(Boolean(a.remove)))) {
      const { add, remove, txn, metaData, protocol } = action
      if (add ?? remove) latest.set(`file ${fileKey((add ?? remove) as { path: string })}`, action)
      if (txn) latest.set(`txn ${txn.appId}`, action)
      if (metaData) latest.set('metaData', action)
      if (protocol) latest.set('protocol', action)
    }
  }
  writeFileSync(
    join(log, `${paddedVersion(first)}.${paddedVersion(last)}.compacted.json`),
    [...latest.values()].map((action) => JSON.stringify(action)).join('\n'),
  )
}
