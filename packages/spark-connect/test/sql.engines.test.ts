import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, parseConnectionString, type Row, type SparkSession, structOf, typed } from '../src/index.ts'

const REMOTE = process.env.SPARK_REMOTE!

let session: SparkSession
beforeAll(async () => {
  session = await connect(REMOTE, { userId: 'tests' })
})
afterAll(() => session.stop())

async function one(sql: string, parameters: Record<string, unknown> | readonly unknown[] = []): Promise<Row> {
  const [row] = await (await session.sql(sql, parameters)).collect()
  return row!
}

describe('SQL', () => {
  test('parameters by name and by position keep their types and values', async () => {
    const nasty = 'it’s "quoted" \\ `x` ? :name -- /* \n\u0000 😀 \''
    const row = await one(
      `SELECT :text AS text, :whole AS whole, typeof(:whole) AS whole_type, :large AS large, :half AS half, :yes AS yes,
         :nothing AS nothing, :at AS at, :bytes AS bytes, :list AS list, :map AS map, :struct AS struct, ':text' AS raw,
         :price AS price, typeof(:price) AS price_type, :day AS day, :text = unbase64(:same) AS is_same`,
      {
        text: nasty,
        whole: -7,
        large: -(2n ** 63n),
        half: 0.5,
        yes: true,
        nothing: null,
        at: new Date('2024-02-29T12:34:56.789Z'),
        bytes: new Uint8Array([0, 255]),
        list: ['a', 'b'],
        map: new Map([['k', 1]]),
        struct: { x: 1, y: [true] },
        price: typed('12.50', 'decimal'),
        day: typed('2024-02-29', 'date'),
        same: Buffer.from(nasty).toString('base64'),
      },
    )
    expect(row).toEqual({
      text: nasty,
      whole: -7,
      whole_type: 'int',
      large: -(2n ** 63n),
      half: 0.5,
      yes: true,
      nothing: null,
      at: new Date('2024-02-29T12:34:56.789Z'),
      bytes: new Uint8Array([0, 255]),
      list: ['a', 'b'],
      map: new Map([['k', 1]]),
      struct: { x: 1, y: [true] },
      raw: ':text',
      price: '12.50',
      price_type: 'decimal(4,2)',
      day: '2024-02-29',
      is_same: true,
    })
    expect(await one('SELECT ? AS a, ? AS b', [1, 'x'])).toEqual({ a: 1, b: 'x' })
  })

  test('a marker without a value is the server’s error', async () => {
    await expect(session.sql('SELECT :missing', { other: 1 })).rejects.toMatchObject({
      code: 'SPARK_ANALYSIS',
      errorClass: 'UNBOUND_SQL_PARAMETER',
    })
  })

  test('frames: columns, conditions, groups, joins, order, sets', async () => {
    const numbers = session.range(0, 10).withColumns({ parity: 'id % 2', half: 'id / 2' })
    expect(await numbers.filter('id >= 8').select('id', 'half').orderBy('id DESC').collect()).toEqual([
      { id: 9n, half: 4.5 },
      { id: 8n, half: 4 },
    ])
    const sums = numbers.groupBy('parity').agg('sum(id) AS sum', 'count(1) AS n')
    expect(await sums.orderBy('parity').collect()).toEqual([
      { parity: 0n, sum: 20n, n: 5n },
      { parity: 1n, sum: 25n, n: 5n },
    ])
    const joined = numbers
      .alias('a')
      .join(sums.alias('b'), { condition: 'a.id = b.parity' })
      .selectExpr('a.id', 'b.sum')
    expect(await joined.orderBy('id').collect()).toEqual([
      { id: 0n, sum: 20n },
      { id: 1n, sum: 25n },
    ])
    expect(await numbers.join(sums, { using: ['parity'] }, 'left_semi').count()).toBe(10)
    expect(await numbers.select('parity').union(numbers.select('parity')).dropDuplicates().count()).toBe(2)
    expect(
      await numbers.drop('half').unionByName(numbers, { allowMissingColumns: true }).limit(15).count(),
    ).toBe(15)
    await numbers.createOrReplaceTempView('numbers')
    expect(await one('SELECT max(id) AS max FROM numbers')).toEqual({ max: 9n })
    expect(await numbers.explain()).toContain('Range')
  })

  test('settings', async () => {
    await session.conf.set({ 'spark.sql.shuffle.partitions': 3 })
    expect(await session.conf.get('spark.sql.shuffle.partitions')).toBe('3')
    await session.conf.unset('spark.sql.shuffle.partitions')
    expect(await session.conf.get('spark.sql.shuffle.partitions')).toBe('200')
    expect(await session.conf.getOr('arus.no.such', 'otherwise')).toBe('otherwise')
    await expect(session.conf.get('arus.no.such')).rejects.toMatchObject({ errorClass: 'SQL_CONF_NOT_FOUND' })
  })
})

describe('types', () => {
  test('values of every type the server makes', async () => {
    await session.conf.set({ 'spark.sql.timeType.enabled': true })
    const row = await one(`SELECT
      CAST(-128 AS TINYINT) AS byte, CAST(-32768 AS SMALLINT) AS short, -2147483648 AS int, -9223372036854775808 AS long,
      CAST(1.5 AS FLOAT) AS float, double('NaN') AS double, CAST('-0.10' AS DECIMAL(38, 2)) AS decimal,
      'é😀' AS string, X'00ff' AS binary, true AS boolean, NULL AS void, DATE'0001-01-01' AS date,
      TIMESTAMP'1969-12-31 23:59:59.999999 UTC' AS timestamp, TIMESTAMP_NTZ'9999-12-31 23:59:59.999999' AS ntz,
      INTERVAL '-1 02:03:04.000005' DAY TO SECOND AS day_time, INTERVAL '1-2' YEAR TO MONTH AS year_month,
      make_interval(1, 2, 0, 3, 4) AS calendar, TIME'13:45:00.5' AS time,
      array(1, NULL) AS array, map(1, 'a', 2, NULL) AS map, named_struct('x', array(map('k', 1L))) AS struct,
      CAST(NULL AS ARRAY<INT>) AS no_array, CAST(NULL AS STRUCT<x: INT>) AS no_struct`)
    expect(row).toEqual({
      byte: -128,
      short: -32768,
      int: -2147483648,
      long: -(2n ** 63n),
      float: 1.5,
      double: Number.NaN,
      decimal: '-0.10',
      string: 'é😀',
      binary: new Uint8Array([0, 255]),
      boolean: true,
      void: null,
      date: '0001-01-01',
      timestamp: new Date(-1),
      ntz: '9999-12-31T23:59:59.999999',
      day_time: -(26n * 3_600_000_000n + 3n * 60_000_000n + 4_000_005n),
      year_month: 14,
      calendar: { months: 14, days: 3, microseconds: 4n * 3_600_000_000n },
      time: '13:45:00.500000',
      array: [1, null],
      map: new Map([
        [1, 'a'],
        [2, null],
      ]),
      struct: { x: [new Map([['k', 1n]])] },
      no_array: null,
      no_struct: null,
    })
  })

  test('rows of this program come back through the server as they were, with their schema', async () => {
    const schema = structOf({
      byte: 'byte',
      short: 'short',
      int: 'integer',
      long: 'long',
      float: 'float',
      double: 'double',
      decimal: 'decimal(20,3)',
      string: 'string',
      binary: 'binary',
      boolean: 'boolean',
      date: 'date',
      timestamp: 'timestamp',
      ntz: 'timestamp_ntz',
      day_time: 'interval day to second',
      year_month: 'interval year to month',
      array: { type: 'array', elementType: 'string', containsNull: true },
      map: { type: 'map', keyType: 'string', valueType: 'double', valueContainsNull: true },
      struct: structOf({ x: 'long', y: structOf({ z: 'date' }) }),
    })
    const full = {
      byte: 1,
      short: 2,
      int: 3,
      long: 2n ** 62n,
      float: 0.5,
      double: 0.1,
      decimal: '12345678901234567.890',
      string: 'text',
      binary: new Uint8Array([1, 2, 3]),
      boolean: false,
      date: '2024-02-29',
      timestamp: new Date('1900-01-01T00:00:00Z'),
      ntz: '2024-02-29T23:59:59.000001',
      day_time: -1n,
      year_month: -1,
      array: ['a', null, ''],
      map: new Map([['k', null]]),
      struct: { x: 1n, y: { z: '1969-12-31' } },
    }
    const empty = Object.fromEntries(Object.keys(full).map((name) => [name, null]))
    const frame = await session.createDataFrame([full, empty], schema)
    expect(await frame.schema()).toEqual(schema)
    expect(await frame.collect()).toEqual([full, empty])
    expect(await (await session.createDataFrame([], schema)).collect()).toEqual([])
  })

  test('large local data is kept at the server in parts, and sent once', async () => {
    const rows = Array.from({ length: 60_000 }, (_, id) => ({ id, name: `product number ${id} with a name` }))
    const frame = await session.createDataFrame(rows, 'id BIGINT, name STRING')
    expect(frame.relation.relType?.case).toBe('chunkedCachedLocalRelation')
    const [sum] = await frame.groupBy().agg('count(1) AS n', 'sum(id) AS ids', 'max(name) AS name').collect()
    expect(sum).toEqual({ n: 60_000n, ids: 1_799_970_000n, name: 'product number 9999 with a name' })
    const again = await session.createDataFrame(await frame.toArrow().then((table) => table.batches[0]!))
    expect(await again.schema()).toMatchObject({
      fields: [
        { name: 'id', type: 'long' },
        { name: 'name', type: 'string' },
      ],
    })
  })

  test('microseconds are kept on demand, and columns of one name are not lost', async () => {
    const frame = await session.sql("SELECT TIMESTAMP'1969-12-31 23:59:59.999999 UTC' AS at")
    expect(await frame.collect({ timestamps: 'micros' })).toEqual([{ at: -1n }])
    await expect((await session.sql('SELECT 1 AS a, 2 AS a')).collect()).rejects.toMatchObject({
      code: 'SPARK_COLUMNS_AMBIGUOUS',
    })
  })
})

describe('errors have the server’s class and SQL state', () => {
  test.each([
    ['SELEC 1', 'SPARK_ANALYSIS', 'PARSE_SYNTAX_ERROR', '42601'],
    ['SELECT * FROM no_such_table', 'SPARK_ANALYSIS', 'TABLE_OR_VIEW_NOT_FOUND', '42P01'],
    ['SELECT no_such_column', 'SPARK_ANALYSIS', 'UNRESOLVED_COLUMN.WITHOUT_SUGGESTION', '42703'],
  ])('%s', async (sql, code, errorClass, sqlState) => {
    await expect(session.sql(sql)).rejects.toMatchObject({ code, errorClass, sqlState })
  })

  test('of a query that fails while it runs, with parameters and place', async () => {
    const frame = await session.sql('SELECT id / (id - 5) FROM range(10)')
    const error = await frame.collect().then(
      () => null,
      (error: unknown) => error,
    )
    expect(error).toMatchObject({
      code: 'SPARK_FAILED',
      errorClass: 'DIVIDE_BY_ZERO',
      sqlState: '22012',
      queryContexts: [{ fragment: 'id / (id - 5)', startIndex: 7 }],
    })
    expect((error as { messageParameters: object }).messageParameters).toHaveProperty('config')
  })

  test('of a token that is wrong, missing, or a session that another server has', async () => {
    const { host, port } = parseConnectionString(REMOTE)
    const wrong = connect(`sc://${host}:${port}/;token=wrong`)
    await expect(wrong).rejects.toMatchObject({ code: 'SPARK_UNAUTHENTICATED' })
    await expect(connect(`sc://${host}:${port}`)).rejects.toMatchObject({ code: 'SPARK_UNAUTHENTICATED' })
  })

  test('a session that was ended on the server is told as lost', async () => {
    const first = await connect(REMOTE)
    const second = await connect(REMOTE, { sessionId: first.id })
    await (await second.sql('SELECT 1')).collect()
    await first.stop()
    await expect(second.version()).rejects.toMatchObject({ code: 'SPARK_SESSION_LOST' })
    await second.stop()
  })

  test('a session left open is gone on with, views and all', async () => {
    const first = await connect(REMOTE)
    await first.range(0, 3).createOrReplaceTempView('three')
    first.close()
    await using second = await connect(REMOTE, { sessionId: first.id })
    expect(await second.table('three').count()).toBe(3)
  })
})
