import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LocalStorage } from '../../src/index.ts'
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

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i: no commit is lost, doubled or denied', async (seed) => {
    await createLogTable(new LocalStorage(root))
    const storages = Array.from(
      { length: WRITERS },
      (_, i) =>
        new FaultyStorage(
          new LocalStorage(root),
          seededFaults(seed * WRITERS + i, { share: 0.15, kinds: KINDS }),
        ),
    )
    const records = await Promise.all(storages.map((storage, i) => appendAll(storage, i)))
    await Promise.all(storages.map((storage) => storage.settled()))
    const verdict = await judge(new LocalStorage(root), records.flat())
    expect(verdict).toMatchObject(NOTHING_WRONG)
    const hits = storages.flatMap((storage) => storage.faults)
    expect(new Set(hits.map((fault) => fault.kind)).size).toBeGreaterThan(3)
    const committed = records.flat().filter(({ outcome }) => typeof outcome === 'number')
    expect(committed.length).toBeGreaterThan(WRITERS)
    const snapshot = await (await openLogTable(new LocalStorage(root))).snapshot()
    expect(snapshot.version).toBe(verdict.versionCount - 1)
  })
})

async function appendAll(storage: FaultyStorage, writer: number): Promise<AppendRecord[]> {
  const table = await untilOpen(storage)
  const records: AppendRecord[] = []
  for (let i = 0; i < APPENDS; i++) records.push(await appendOne(table, `w${writer}-${i}`))
  return records
}
