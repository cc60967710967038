import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column, type StructType } from '../../src/index.ts'
import { expectAllRead, Peers } from './peers.ts'
import type { Row } from './typed-rows.ts'

let peers: Peers
beforeAll(async () => {
  peers = await Peers.connect()
})
afterAll(() => peers[Symbol.dispose]())

const SCHEMA: StructType = {
  type: 'struct',
  fields: [column('id', 'long'), column('part', 'string'), column('n', 'integer')],
}
const ROWS: readonly Row[] = [1, 2, 3, 4, 5, 6].map((id) => ({
  id: String(id),
  part: id % 2 === 0 ? 'even' : null,
  n: id * 10,
}))
/** What Spark may be told to put into a table beyond the lowest protocol. */
const FEATURES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'deletion vectors': { 'delta.enableDeletionVectors': 'true' },
  'column mapping by name': { 'delta.columnMapping.mode': 'name' },
  'column mapping by id': { 'delta.columnMapping.mode': 'id' },
  'version 2 checkpoints': { 'delta.checkpointPolicy': 'v2', 'delta.checkpointInterval': '2' },
  'in-commit timestamps': { 'delta.enableInCommitTimestamps': 'true' },
  'a change data feed': { 'delta.enableChangeDataFeed': 'true' },
  'checkpoints at every commit': { 'delta.checkpointInterval': '1' },
}

describe.each(Object.entries(FEATURES))('a table by Spark with %s', (_, properties) => {
  test('is read, appended to and deleted from by Arus as by Spark', async () => {
    const path = peers.newPath()
    await peers.spark.create(path, { schema: SCHEMA, partitionColumns: ['part'], properties })
    await peers.spark.append(path, SCHEMA, ROWS)
    await peers.spark.delete(path, 'n = 20 OR n = 30')
    const rows = ROWS.filter(({ n }) => n !== 20 && n !== 30)
    const both = [peers.arus, peers.spark]
    await expectRowsRead(path, rows)
    await peers.arus.append(path, SCHEMA, [{ id: '7', part: 'a b', n: 70 }])
    await expectRowsRead(path, [...rows, { id: '7', part: 'a b', n: 70 }])
    for (const [i, peer] of both.entries()) {
      await peer.append(path, SCHEMA, [{ id: String(8 + i), part: 'even', n: 80 }])
      await peer.update(path, { n: 'n + 1' }, `id = ${4 + i}`)
    }
    const found = await peers.spark.read(path)
    await expectAllRead([peers.arus], path, found)
    expect(found.rows).toHaveLength(rows.length + 3)
  })
})

/** Both read these rows; Spark's schema keeps the mapping of columns to itself. */
async function expectRowsRead(path: string, rows: readonly Row[]): Promise<void> {
  await expectAllRead([peers.arus, peers.spark], path, { schema: SCHEMA, rows })
}
