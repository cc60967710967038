import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column, type StructType } from '../../src/index.ts'
import type { Peer } from './peer.ts'
import { expectAllRead, PEER_NAMES, type PeerName, Peers } from './peers.ts'
import type { Row } from './typed-rows.ts'

let peers: Peers
beforeAll(async () => {
  peers = await Peers.connect()
})
afterAll(() => peers[Symbol.dispose]())

const SCHEMA: StructType = {
  type: 'struct',
  fields: [
    column('id', 'long'),
    column('part', 'string'),
    column('n', 'integer'),
    column('price', 'decimal(10,2)'),
    column('at', 'timestamp'),
    column('tags', { type: 'array', elementType: 'string', containsNull: true }),
  ],
}
const FIRST = rowsFor([1, 2, 3, 4])
const SECOND = rowsFor([5, 6, 7])
const BEFORE = [...FIRST, ...SECOND]

/** What one peer does to a table of the rows BEFORE, and the rows that are then in it. */
interface Operation {
  readonly name: string
  readonly run: (peer: Peer, path: string) => Promise<void>
  readonly after: readonly Row[]
}

const OPERATIONS: readonly Operation[] = [
  {
    name: 'appends',
    run: (peer, path) => peer.append(path, SCHEMA, rowsFor([8, 9])),
    after: rowsFor([1, 2, 3, 4, 5, 6, 7, 8, 9]),
  },
  {
    name: 'overwrites all',
    run: (peer, path) => peer.overwrite(path, SCHEMA, rowsFor([8])),
    after: rowsFor([8]),
  },
  {
    name: 'overwrites a partition',
    run: (peer, path) =>
      peer.overwrite(path, SCHEMA, [{ ...rowFor(8), part: 'b c' }], { column: 'part', value: 'b c' }),
    after: [...BEFORE.filter(({ part }) => part !== 'b c'), { ...rowFor(8), part: 'b c' }],
  },
  {
    name: 'deletes some rows of files',
    run: (peer, path) => peer.delete(path, 'n >= 30 AND n < 60'),
    after: BEFORE.filter(({ n }) => Number(n) < 30 || Number(n) >= 60),
  },
  {
    name: 'deletes a partition',
    run: (peer, path) => peer.delete(path, "part = 'a'"),
    after: BEFORE.filter(({ part }) => part !== 'a'),
  },
  {
    name: 'deletes where a partition is null',
    run: (peer, path) => peer.delete(path, 'part IS NULL'),
    after: BEFORE.filter(({ part }) => part !== null),
  },
  {
    name: 'updates values, of a partition column too',
    run: (peer, path) => peer.update(path, { n: 'n + 1', part: "'moved'" }, 'id >= 6'),
    after: BEFORE.map((row) => (Number(row.id) >= 6 ? { ...row, n: Number(row.n) + 1, part: 'moved' } : row)),
  },
  {
    name: 'merges',
    run: (peer, path) =>
      peer.upsert(path, SCHEMA, [{ ...rowFor(2), n: -2 }, { ...rowFor(3), part: 'moved' }, rowFor(8)]),
    after: [
      ...BEFORE.filter(({ id }) => id !== '2' && id !== '3'),
      { ...rowFor(2), n: -2 },
      { ...rowFor(3), part: 'moved' },
      rowFor(8),
    ],
  },
  {
    name: 'optimizes',
    run: (peer, path) => peer.optimize(path),
    after: BEFORE,
  },
  {
    name: 'restores the version before',
    run: (peer, path) => peer.restore(path, 1),
    after: FIRST,
  },
  {
    name: 'appends twice under one transaction',
    run: async (peer, path) => {
      for (const version of [7, 7, 8, 7])
        await peer.appendOnce(path, SCHEMA, { rows: [rowFor(version)], appId: 'loader', version })
    },
    after: [...BEFORE, rowFor(7), rowFor(8)],
  },
  {
    name: 'checkpoints, and the commits before go',
    run: async (peer, path) => {
      await peer.checkpoint(path)
      for (const name of readdirSync(join(path, '_delta_log'))) {
        if (/^0*[01]\.(json|crc)$/.test(name)) rmSync(join(path, '_delta_log', name))
      }
    },
    after: BEFORE,
  },
  {
    name: 'vacuums',
    run: async (peer, path) => {
      await peer.overwrite(path, SCHEMA, FIRST)
      const filesBefore = dataFiles(path).length
      await peer.vacuum(path)
      expect(dataFiles(path).length).toBeLessThan(filesBefore)
    },
    after: FIRST,
  },
]

/** Each table is begun by another peer than the one under test, so that everyone meets everyone's tables. */
const CREATOR: Readonly<Record<PeerName, PeerName>> = { Arus: 'Spark', Spark: 'deltalake', deltalake: 'Arus' }

describe.each(PEER_NAMES)('%s', (name) => {
  for (const operation of OPERATIONS) {
    test(`${operation.name}: all read the same rows, and write on`, async () => {
      const peer = peers.named(name)
      const path = await newTable(peers.named(CREATOR[name]))
      await operation.run(peer, path)
      await expectAllRead(peers.all, path, { schema: SCHEMA, rows: operation.after })
      await expectAllWriteOn(path, SCHEMA, operation.after)
    })
  }

  test('honours a transaction that another recorded', async () => {
    const path = await newTable(peers.named(CREATOR[name]))
    for (const [i, other] of peers.others(name).entries()) {
      const once = { rows: [rowFor(20 + i)], appId: `loader ${i}`, version: 3 }
      await other.appendOnce(path, SCHEMA, once)
      await peers.named(name).appendOnce(path, SCHEMA, once)
    }
    await expectAllRead(peers.all, path, { schema: SCHEMA, rows: [...BEFORE, rowFor(20), rowFor(21)] })
  })

  test('reads every version of a table that all wrote', async () => {
    const path = await newTable(peers.named(CREATOR[name]))
    for (const [i, peer] of peers.all.entries()) await peer.append(path, SCHEMA, [rowFor(30 + i)])
    const reader = [peers.named(name)]
    const versions = [[], FIRST, BEFORE, [...BEFORE, rowFor(30)], [...BEFORE, rowFor(30), rowFor(31)]]
    for (const [version, rows] of versions.entries())
      await expectAllRead(reader, path, { schema: SCHEMA, rows, version })
  })

  test('adds a column: old rows read null in it, and all write with it', async () => {
    const peer = peers.named(name)
    const path = await newTable(peers.named(CREATOR[name]))
    await peer.addColumn(path, column('extra', 'long'))
    const schema: StructType = { type: 'struct', fields: [...SCHEMA.fields, column('extra', 'long')] }
    const before = BEFORE.map((row) => ({ ...row, extra: null }))
    await expectAllRead(peers.all, path, { schema, rows: before })
    await expectAllWriteOn(path, schema, before, { extra: '5' })
  })

  test('adds a constraint: all honour it', async () => {
    const peer = peers.named(name)
    const path = await newTable(peers.named(CREATOR[name]))
    await peer.addConstraint(path, 'small', 'n < 5000')
    for (const each of peers.all) {
      await expect(each.append(path, SCHEMA, [{ ...rowFor(8), n: 5000 }]), each.name).rejects.toThrow(
        /small|n < 5000|failed validation/,
      )
    }
    await expectAllRead(peers.all, path, { schema: SCHEMA, rows: BEFORE })
    await expectAllWriteOn(path, SCHEMA, BEFORE)
  })
})

/** A table of BEFORE in two commits: versions 1 and 2. */
async function newTable(creator: Peer): Promise<string> {
  const path = peers.newPath()
  await creator.create(path, { schema: SCHEMA, partitionColumns: ['part'], properties: {} })
  await creator.append(path, SCHEMA, FIRST)
  await creator.append(path, SCHEMA, SECOND)
  return path
}

async function expectAllWriteOn(
  path: string,
  schema: StructType,
  rows: readonly Row[],
  more: Row = {},
): Promise<void> {
  const added = peers.all.map((_, i) => ({ ...rowFor(100 + i), ...more }))
  for (const [i, peer] of peers.all.entries()) await peer.append(path, schema, [added[i]!])
  await expectAllRead(peers.all, path, { schema, rows: [...rows, ...added] })
}

function rowFor(id: number): Row {
  return {
    id: String(id),
    part: ['a', 'b c', null][id % 3]!,
    n: id * 10,
    price: `${id}.50`,
    at: `2024-03-01T00:00:${String(id % 60).padStart(2, '0')}.000001Z`,
    tags: id % 2 === 0 ? ['x', null] : null,
  }
}

function rowsFor(ids: readonly number[]): Row[] {
  return ids.map(rowFor)
}

function dataFiles(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.parquet') && !name.startsWith('_delta_log'),
  )
}
