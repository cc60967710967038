import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { column, DeltaTable, LocalStorage, type StructType } from '../src/index.ts'

const schema: StructType = {
  type: 'struct',
  fields: [
    column('id', 'long', { nullable: false }),
    column('name', 'string'),
    column('price', 'double'),
    column('amount', 'decimal(10,2)'),
    column('at', 'timestamp'),
    column('day', 'date'),
    column('flag', 'boolean'),
    column('tags', { type: 'array', elementType: 'string', containsNull: true }),
  ],
}
const ROWS = `SELECT i AS id, 'name ' || i AS name, i / 3 AS price, (i / 4)::DECIMAL(10,2) AS amount,
  TIMESTAMPTZ '2024-03-01 00:00:00.123456+00' + INTERVAL (i) SECOND AS at, DATE '2024-03-01' + (i % 3)::INTEGER AS day,
  i % 2 = 0 AS flag, ['a', 'b' || i] AS tags FROM range(0, 10) t(i)`
const python = process.env.ARUS_PYTHON ?? 'python3'
const hasDeltalake = spawnSync(python, ['-c', 'import deltalake, pyarrow']).status === 0

let root = ''
let connection: DuckDBConnection
let engine: DuckDbParquetEngine
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'arus-delta-'))
  connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`SET TimeZone = 'UTC'`)
  engine = new DuckDbParquetEngine(connection)
})
afterEach(() => {
  connection.closeSync()
  rmSync(root, { recursive: true })
})

const options = () => ({ storage: new LocalStorage(root), engine })

async function append(table: DeltaTable, sql: string, transactions?: { appId: string; version: number }[]) {
  return table.commit({
    add: await table.write(sql),
    operation: 'WRITE',
    ...(transactions ? { transactions } : {}),
  })
}

async function rowsOf(table: DeltaTable, snapshot = table.snapshot()) {
  const reader = await connection.runAndReadAll(
    `SELECT * FROM ${(await table.relation({ snapshot: await snapshot })).sql} ORDER BY ALL`,
  )
  return reader.getRowObjectsJson()
}

describe('a table', () => {
  test('gives back what was appended, partitioned or not', async () => {
    for (const partitionColumns of [[], ['day'], ['flag', 'day']]) {
      root = mkdtempSync(join(tmpdir(), 'arus-delta-'))
      const table = await DeltaTable.create(options(), { schema, partitionColumns })
      await append(table, ROWS)
      await append(table, ROWS.replace('range(0, 10)', 'range(10, 15)'))
      const expected = (
        await connection.runAndReadAll(
          `SELECT * FROM (${ROWS.replace('range(0, 10)', 'range(0, 15)')}) ORDER BY ALL`,
        )
      ).getRowObjectsJson()
      expect(await rowsOf(await DeltaTable.open(options()))).toEqual(expected)
    }
  })

  test('is empty, and typed, before the first append', async () => {
    const table = await DeltaTable.create(options(), { schema })
    expect(await rowsOf(table)).toEqual([])
    await expect(DeltaTable.create(options(), { schema })).rejects.toMatchObject({ code: 'DELTA_EXISTS' })
  })

  test('knows the snapshot it was opened at until it looks again', async () => {
    await DeltaTable.create(options(), { schema })
    const [reader, writer] = [await DeltaTable.open(options()), await DeltaTable.open(options())]
    await append(writer, ROWS)
    expect([reader.known.version, reader.known.files.size]).toEqual([0, 0])
    expect((await reader.snapshot()).version).toBe(1)
    expect([reader.known.version, reader.known.files.size]).toEqual([1, 1])
  })

  test('is refused where there is none', async () => {
    await expect(DeltaTable.open(options())).rejects.toMatchObject({ code: 'DELTA_NOT_A_TABLE' })
    expect(await DeltaTable.exists(new LocalStorage(root))).toBe(false)
  })

  test('a wrong column or a value that does not fit is refused, and nothing is written', async () => {
    const table = await DeltaTable.create(options(), {
      schema: { type: 'struct', fields: [column('n', 'integer')] },
    })
    for (const sql of [
      `SELECT 'x' AS n`,
      'SELECT 5000000000 AS n',
      'SELECT 1 AS m',
      'SELECT 1 AS n, 2 AS more',
    ]) {
      await expect(table.write(sql)).rejects.toMatchObject({ code: 'DELTA_SCHEMA_MISMATCH' })
    }
    expect((await table.snapshot()).files.size).toBe(0)
  })

  test('travels to any version and time', async () => {
    const table = await DeltaTable.create(options(), {
      schema: { type: 'struct', fields: [column('n', 'long')] },
    })
    for (let n = 1; n <= 12; n++) await append(table, `SELECT ${n} AS n`)
    for (const version of [0, 3, 10, 12]) {
      expect(await rowsOf(table, table.at({ version }))).toHaveLength(version)
    }
    const { timestampMs } = await table.at({ version: 5 })
    expect((await table.at({ timestampMs })).version).toBeGreaterThanOrEqual(5)
    await expect(table.at({ version: 99 })).rejects.toMatchObject({ code: 'DELTA_VERSION_UNKNOWN' })
    await expect(table.at({ timestampMs: 1 })).rejects.toMatchObject({ code: 'DELTA_VERSION_UNKNOWN' })
  })

  test('a transaction counts once, whoever tries it again', async () => {
    const table = await DeltaTable.create(options(), {
      schema: { type: 'struct', fields: [column('n', 'long')] },
    })
    expect(await append(table, 'SELECT 1 AS n', [{ appId: 'a', version: 7 }])).toMatchObject({
      kind: 'committed',
    })
    const again = await DeltaTable.open(options())
    expect(await append(again, 'SELECT 1 AS n', [{ appId: 'a', version: 7 }])).toMatchObject({
      kind: 'skipped',
    })
    expect(await append(again, 'SELECT 2 AS n', [{ appId: 'a', version: 8 }])).toMatchObject({
      kind: 'committed',
    })
    expect(await rowsOf(table)).toHaveLength(2)
  })

  test('an overwrite that read an older version is a conflict; a blind append is not', async () => {
    const table = await DeltaTable.create(options(), {
      schema: { type: 'struct', fields: [column('n', 'long')] },
    })
    await append(table, 'SELECT 1 AS n')
    const read = await table.snapshot()
    await append(await DeltaTable.open(options()), 'SELECT 2 AS n')
    const change = {
      add: [],
      remove: [...read.files.values()],
      readVersion: read.version,
      operation: 'WRITE',
    }
    expect((await table.commit(change)).kind).toBe('conflict')
    const now = await table.snapshot()
    expect(
      (await table.commit({ ...change, remove: [...now.files.values()], readVersion: now.version })).kind,
    ).toBe('committed')
    expect(await rowsOf(table)).toEqual([])
  })

  test('vacuum removes what no young version needs, and nothing else', async () => {
    let nowMs = Date.now()
    const table = await DeltaTable.create(
      { ...options(), now: () => nowMs },
      {
        schema: { type: 'struct', fields: [column('n', 'long')] },
        properties: { 'delta.deletedFileRetentionDuration': 'interval 1 minute' },
      },
    )
    await append(table, 'SELECT 1 AS n')
    const old = await table.snapshot()
    const add = await table.write('SELECT 2 AS n')
    await table.commit({ add, remove: [...old.files.values()], readVersion: old.version, operation: 'WRITE' })
    expect(await table.vacuum({ retentionMs: 60_000 })).toEqual([])
    await expect(table.vacuum({ retentionMs: 1 })).rejects.toMatchObject({
      code: 'DELTA_RETENTION_TOO_SHORT',
    })
    nowMs += 120_000
    expect(await table.vacuum({ retentionMs: 60_000, isDryRun: true })).toHaveLength(1)
    expect(await table.vacuum({ retentionMs: 60_000 })).toHaveLength(1)
    expect(await rowsOf(table)).toEqual([{ n: '2' }])
  })
})

describe('the log', () => {
  test('old commits go once a checkpoint stands for them; the table reads as before', async () => {
    let nowMs = Date.now()
    const table = await DeltaTable.create(
      { ...options(), now: () => nowMs },
      {
        schema: { type: 'struct', fields: [column('n', 'long')] },
        properties: { 'delta.checkpointInterval': '5' },
      },
    )
    for (let n = 1; n <= 13; n++) await append(table, `SELECT ${n} AS n`)
    expect(
      readdirSync(join(root, '_delta_log')).filter((name) => name.endsWith('.checkpoint.parquet')),
    ).toHaveLength(2)
    expect(await table.removeOldLog({ retentionMs: 60_000 })).toBe(0)
    nowMs += 120_000
    expect(await table.removeOldLog({ retentionMs: 60_000 })).toBe(11)
    expect(await rowsOf(await DeltaTable.open(options()))).toHaveLength(13)
    expect(await rowsOf(table, table.at({ version: 12 }))).toHaveLength(12)
    await expect(table.at({ version: 3 })).rejects.toMatchObject({ code: 'DELTA_VERSION_UNKNOWN' })
  })

  test('a gap is named; a checkpoint hint that is corrupt or leads nowhere is survived', async () => {
    const table = await DeltaTable.create(options(), {
      schema: { type: 'struct', fields: [column('n', 'long')] },
    })
    for (let n = 1; n <= 15; n++) await append(table, `SELECT ${n} AS n`)
    for (const hint of ['{"version": 999}', 'not json', '{"version": "10"}']) {
      writeFileSync(join(root, '_delta_log/_last_checkpoint'), hint)
      expect((await (await DeltaTable.open(options())).snapshot()).files.size).toBe(15)
    }
    rmSync(join(root, '_delta_log/00000000000000000013.json'))
    await expect(DeltaTable.open(options())).rejects.toMatchObject({ code: 'DELTA_LOG_GAP' })
  })

  test('replay of any history is the same through commits alone and through a checkpoint', async () => {
    const change = fc.record({
      add: fc.integer({ min: 0, max: 3 }),
      remove: fc.integer({ min: 0, max: 2 }),
      txn: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 25 }), async (changes) => {
        root = mkdtempSync(join(tmpdir(), 'arus-delta-'))
        const table = await DeltaTable.create(options(), {
          schema: { type: 'struct', fields: [column('n', 'long')] },
        })
        for (const [i, { add, remove, txn }] of changes.entries()) {
          const files = [...(await table.snapshot()).files.values()]
          await table.commit({
            add: Array.from({ length: add }, (_, k) => {
              const path = `f ${i}%-${k}.parquet`
              writeFileSync(join(root, path), '')
              return { path, sizeBytes: 1, rowCount: 1, partitionValues: {}, stats: '{"numRecords":1}' }
            }),
            remove: files.slice(0, remove),
            operation: 'WRITE',
            ...(txn ? { transactions: [{ appId: `app ${i % 3}`, version: i }] } : {}),
          })
        }
        const live = await table.snapshot()
        const fromCheckpoint = await (await DeltaTable.open(options())).snapshot()
        for (const name of readdirSync(join(root, '_delta_log')))
          if (/checkpoint/.test(name)) rmSync(join(root, '_delta_log', name))
        const fromCommits = await (await DeltaTable.open(options())).snapshot()
        for (const other of [fromCheckpoint, fromCommits]) {
          expect([...other.files.keys()].sort()).toEqual([...live.files.keys()].sort())
          expect([...other.tombstones.keys()].sort()).toEqual([...live.tombstones.keys()].sort())
          expect([...other.transactions].map(([appId, txn]) => [appId, txn.version]).sort()).toEqual(
            [...live.transactions].map(([appId, txn]) => [appId, txn.version]).sort(),
          )
          expect(other.metadata.id).toBe(live.metadata.id)
        }
        rmSync(root, { recursive: true })
      }),
      { numRuns: 15 },
    )
    root = mkdtempSync(join(tmpdir(), 'arus-delta-'))
  })

  test('several processes lose and double no commit', async () => {
    await DeltaTable.create(options(), { schema: { type: 'struct', fields: [column('n', 'long')] } })
    const writers = [0, 1, 2].map((lane) => startWriter(lane, 15))
    await Promise.all(writers.map((writer) => once(writer, 'exit')))
    const numbers = (await rowsOf(await DeltaTable.open(options())))
      .map((row) => Number(row.n))
      .sort((a, b) => a - b)
    expect(numbers).toEqual(
      [0, 1, 2]
        .flatMap((lane) => Array.from({ length: 15 }, (_, i) => lane * 1000 + i))
        .sort((a, b) => a - b),
    )
  })

  test('kill -9 while committing loses no acknowledged commit and tears no version', async () => {
    await DeltaTable.create(options(), { schema: { type: 'struct', fields: [column('n', 'long')] } })
    const acknowledged: number[] = []
    for (let cycle = 0; cycle < 8; cycle++) {
      const writer = startWriter(100 + cycle, 1_000)
      const target = acknowledged.length + 3 + cycle
      for await (const chunk of writer.stdout!.setEncoding('utf8')) {
        acknowledged.push(
          ...(chunk as string)
            .split('\n')
            .filter((line) => /^\d+$/.test(line))
            .map(Number),
        )
        if (acknowledged.length >= target) break
      }
      writer.kill('SIGKILL')
      if (writer.signalCode === null) await once(writer, 'exit')
    }
    const numbers = (await rowsOf(await DeltaTable.open(options()))).map((row) => Number(row.n))
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers).toEqual(expect.arrayContaining(acknowledged))
  })
})

describe.skipIf(!hasDeltalake)(
  'PyPI deltalake (skipped where python3 cannot import deltalake and pyarrow)',
  () => {
    const read = (path: string) =>
      JSON.parse(
        execFileSync(
          python,
          [
            '-c',
            `import deltalake, json, os, sys
table = deltalake.DeltaTable(sys.argv[1])
rows = table.to_pyarrow_table().to_pylist()
print(json.dumps([table.version(), sorted(rows, key=lambda r: r["id"])], default=str), flush=True)
# pyarrow's threads can abort an interpreter that shuts down; the answer is out.
os._exit(0)`,
            path,
          ],
          { encoding: 'utf8' },
        ),
      )

    test('reads the same rows, after a checkpoint too', async () => {
      const table = await DeltaTable.create(options(), { schema, partitionColumns: ['day'] })
      for (let i = 0; i < 11; i++)
        await append(table, ROWS.replace('range(0, 10)', `range(${i * 10}, ${i * 10 + 10})`))
      const [version, rows] = read(root)
      expect(version).toBe(11)
      expect(rows).toHaveLength(110)
      expect(rows[5]).toEqual({
        id: 5,
        name: 'name 5',
        price: 5 / 3,
        amount: '1.25',
        at: '2024-03-01 00:00:05.123456+00:00',
        day: '2024-03-03',
        flag: false,
        tags: ['a', 'b5'],
      })
    })

    test('its tables read with the same rows', async () => {
      execFileSync(python, [
        '-c',
        `import deltalake, pyarrow as pa, sys
deltalake.write_deltalake(sys.argv[1], pa.table({"id": [1, 2, 3], "part": ["x", "y z", None]}), partition_by=["part"])`,
        root,
      ])
      expect(await rowsOf(await DeltaTable.open(options()))).toEqual([
        { id: '1', part: 'x' },
        { id: '2', part: 'y z' },
        { id: '3', part: null },
      ])
    })
  },
)

/** A process that appends single rows and prints each once its commit is acknowledged. */
function startWriter(lane: number, count: number) {
  const source = `
    import { DuckDBInstance } from '@duckdb/node-api'
    import { DeltaTable, LocalStorage } from '@arus/delta'
    import { DuckDbParquetEngine } from '@arus/delta/duckdb'
    const engine = new DuckDbParquetEngine(await (await DuckDBInstance.create(':memory:')).connect())
    const table = await DeltaTable.open({ storage: new LocalStorage(${JSON.stringify(root)}), engine })
    for (let i = 0; i < ${count}; i++) {
      const n = ${lane * 1000} + i
      await table.commit({ add: await table.write('SELECT ' + n + ' AS n'), operation: 'WRITE' })
      process.stdout.write(n + '\\n')
    }
    process.exit(0)`
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  })
}
