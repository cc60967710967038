import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../../src/duckdb/index.ts'
import { column, DeltaTable, LocalStorage } from '../../src/index.ts'
import { type FaultKind, seededFaults } from '../fault-plan.ts'
import { FaultyStorage } from '../faulty-storage.ts'
import {
  type AppendRecord,
  appendOne,
  createLogTable,
  judge,
  NOTHING_WRONG,
  openLogTable,
  untilOpen,
  writeAnything,
  writeParquet,
} from './append-loop.ts'

const KINDS: readonly FaultKind[] = ['before', 'after', 'late', 'tear', 'delay', 'duplicate']
const WRITERS = 4
const APPENDS = 15

describe('appends through a storage that fails', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'arus-faults-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const faultyStorages = (seed: number) =>
    Array.from({ length: WRITERS }, (_, i) => {
      const plan = seededFaults(seed * WRITERS + i, { share: 0.15, kinds: KINDS })
      return new FaultyStorage(new LocalStorage(root), plan)
    })

  /** What the writers were told must be what the log says, and faults of most kinds must have hit. */
  const expectNothingWrong = async (storages: readonly FaultyStorage[], records: readonly AppendRecord[]) => {
    await Promise.all(storages.map((storage) => storage.settled()))
    const verdict = await judge(new LocalStorage(root), records)
    expect(verdict).toMatchObject(NOTHING_WRONG)
    const hits = storages.flatMap((storage) => storage.faults)
    expect(new Set(hits.map((fault) => fault.kind)).size).toBeGreaterThan(3)
    expect(records.filter(({ outcome }) => typeof outcome === 'number').length).toBeGreaterThan(WRITERS)
    return verdict
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i: no commit is lost, doubled or denied', async (seed) => {
    await createLogTable(new LocalStorage(root))
    const storages = faultyStorages(seed)
    const records = await Promise.all(
      storages.map(async (storage, i) => {
        const table = await untilOpen(() => openLogTable(storage))
        return appendAll(i, (id) => appendOne(table, id, writeAnything))
      }),
    )
    const { versionCount } = await expectNothingWrong(storages, records.flat())
    const snapshot = await (await openLogTable(new LocalStorage(root))).snapshot()
    expect(snapshot.version).toBe(versionCount - 1)
  })

  test.each([1, 2, 3])('seed %i, with Parquet and checkpoints: every committed row is read', async (seed) => {
    const open = async (storage: LocalStorage | FaultyStorage) =>
      DeltaTable.open({ storage, engine: await DuckDbParquetEngine.open() })
    const engine = await DuckDbParquetEngine.open()
    await DeltaTable.create(
      { storage: new LocalStorage(root), engine },
      {
        schema: { type: 'struct', fields: [column('n', 'long')] },
        properties: { 'delta.checkpointInterval': '4' },
      },
    )
    const storages = faultyStorages(100 + seed)
    const records = await Promise.all(
      storages.map(async (storage, i) => {
        const table = await untilOpen(() => open(storage))
        return appendAll(i, (id) => appendOne(table, id, writeParquet))
      }),
    )
    const { versionCount, ids } = await expectNothingWrong(storages, records.flat())
    const table = await open(new LocalStorage(root))
    expect((await table.snapshot()).version).toBe(versionCount - 1)
    expect(await table.rows('SELECT count(*)::INTEGER AS count FROM {table}')).toEqual([{ count: ids.size }])
    const names = await new LocalStorage(root).listNames('_delta_log')
    expect(names.filter((name) => name.includes('.checkpoint')).length).toBeGreaterThan(0)
  })
})

async function appendAll(
  writer: number,
  append: (id: string) => Promise<AppendRecord>,
): Promise<AppendRecord[]> {
  const records: AppendRecord[] = []
  for (let i = 0; i < APPENDS; i++) records.push(await append(`w${writer}-${i}`))
  return records
}
