import { afterEach, beforeEach, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../../src/duckdb/index.ts'
import { DeltaError, DeltaTable, LocalStorage } from '../../src/index.ts'
import { type FaultKind, seededFaults } from '../fault-plan.ts'
import { FaultyStorage } from '../faulty-storage.ts'
import { changeFilesOf, expectReplayed, feedTable } from '../feed-table.ts'
import { shopRows, TestFolder } from '../test-table.ts'
import { untilOpen } from './append-loop.ts'

const KINDS: readonly FaultKind[] = ['before', 'after', 'late', 'tear', 'delay', 'duplicate']
const WRITERS = 2
const CHANGES = 8

let folder: TestFolder
beforeEach(() => {
  folder = new TestFolder()
})
afterEach(() => folder[Symbol.dispose]())

/** Changes rows that the other writer changes too. Failures are part of it. */
async function changeRows(table: DeltaTable, writer: number): Promise<void> {
  for (let i = 0; i < CHANGES; i++) {
    const id = (i * 7 + writer) % 20
    const change =
      i % 3 === 0
        ? () => table.update({ set: { price: 'price + 1' }, where: `id >= ${id} AND id < ${id + 4}` })
        : i % 3 === 1
          ? () => table.delete(`id = ${id}`)
          : () =>
              table.merge({
                source: shopRows(id, id + 3),
                on: 'target.id = source.id',
                whenMatched: [{ update: { name: `'w${writer}'` } }],
                whenNotMatched: [{ insert: 'all' }],
              })
    await change().catch((error: unknown) => expect(error).toBeInstanceOf(DeltaError))
  }
}

test.each([1, 2, 3])(
  'seed %i: through a storage that fails, beside another writer, every version is told as it is',
  async (seed) => {
    const table = await feedTable(folder, await DuckDbParquetEngine.open())
    await table.append(shopRows(0, 20))
    const root = table.storage.location
    const storages = Array.from({ length: WRITERS }, (_, i) => {
      const plan = seededFaults(seed * WRITERS + i, { share: 0.05, kinds: KINDS })
      return new FaultyStorage(new LocalStorage(root), plan)
    })
    await Promise.all(
      storages.map(async (storage, i) => {
        const engine = await DuckDbParquetEngine.open()
        await changeRows(await untilOpen(() => DeltaTable.open({ storage, engine })), i)
      }),
    )
    await Promise.all(storages.map((storage) => storage.settled()))
    const { version } = await table.snapshot()
    const there = new Set((await table.storage.listData()).map(({ path }) => path))
    for (let each = 1; each <= version; each++) {
      for (const { path } of changeFilesOf(table, each)) expect(there).toContain(path)
      await expectReplayed(table, each - 1, each)
    }
    expect(version).toBeGreaterThan(CHANGES / 2)
    expect(storages.flatMap((storage) => storage.faults).length).toBeGreaterThan(3)
  },
)
