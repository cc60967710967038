import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Action } from '../src/actions.ts'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { DeltaError } from '../src/errors.ts'
import { readCheckpoint } from '../src/read-checkpoint.ts'
import { parseStatistics } from '../src/statistics.ts'
import { TestFolder } from './test-table.ts'

const METADATA: Action = {
  metaData: {
    id: 'i',
    format: { provider: 'parquet', options: {} },
    schemaString: '{"type":"struct","fields":[]}',
    partitionColumns: ['a', 'b'],
    configuration: { 'delta.x': 'é' },
    createdTime: 2 ** 40,
  },
}

/** More of them than a page or a row group has, texts of ASCII and of others, one in three with a vector. */
function manyActions(count: number): Action[] {
  return Array.from({ length: count }, (_, i): Action => {
    if (i === 1_500) return METADATA
    if (i % 7 === 3) return { remove: { path: `r${i}`, dataChange: false, deletionTimestamp: i } }
    const vector = { storageType: 'u', pathOrInlineDv: `v${i}`, offset: i, sizeInBytes: 3, cardinality: 2 }
    return {
      add: {
        path: `p/${i}`,
        partitionValues: { a: String(i % 2), b: i % 5 === 0 ? null : 'x' },
        size: i,
        modificationTime: 2 ** 41 + i,
        dataChange: false,
        ...(i % 4 === 0 ? {} : { stats: `{"numRecords":${i},"minValues":{"c":"${i > 4_000 ? 'é' : 'e'}"}}` }),
        ...(i % 3 === 0 ? { deletionVector: vector } : {}),
      },
    }
  })
}

function byText(actions: readonly Action[]): string[] {
  const sorted = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value
  return actions.map((action) => JSON.stringify(action, sorted)).sort()
}

const CODECS = ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw']

test.each(CODECS.flatMap((codec) => ['V1', 'V2'].map((version) => ({ codec, version }))))(
  'a checkpoint of Parquet $version in $codec gives back what is in it',
  async ({ codec, version }) => {
    const engine = await DuckDbParquetEngine.open()
    using folder = new TestFolder()
    const [plain, file] = [join(folder.root, 'plain.parquet'), join(folder.root, 'other.parquet')]
    const actions = manyActions(5_000)
    await engine.writeActions(plain, actions)
    await engine.rows(
      `COPY (FROM '${plain}') TO '${file}' (FORMAT parquet, COMPRESSION ${codec}, PARQUET_VERSION ${version}, ROW_GROUP_SIZE 2048)`,
    )
    expect(byText(await readCheckpoint(file))).toEqual(byText(actions))
  },
)

test('a damaged checkpoint is DELTA_LOG_CORRUPT or is read, and nothing else happens', async () => {
  const engine = await DuckDbParquetEngine.open()
  using folder = new TestFolder()
  const file = join(folder.root, 'checkpoint.parquet')
  await engine.writeActions(file, manyActions(60))
  const whole = readFileSync(file)
  const damage = fc.record({
    flips: fc.array(fc.record({ at: fc.nat(whole.length - 1), bits: fc.integer({ min: 1, max: 255 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    length: fc.oneof(fc.constant(whole.length), fc.nat(whole.length)),
  })
  let refused = 0
  await fc.assert(
    fc.asyncProperty(damage, async ({ flips, length }) => {
      const bytes = Buffer.from(whole)
      for (const { at, bits } of flips) bytes[at] = (bytes[at] ?? 0) ^ bits
      writeFileSync(file, bytes.subarray(0, length))
      const failure = await readCheckpoint(file).then(
        () => null,
        (error: unknown) => error,
      )
      if (failure === null) return
      refused += 1
      expect(failure).toBeInstanceOf(DeltaError)
      expect((failure as DeltaError).code).toBe('DELTA_LOG_CORRUPT')
    }),
    { numRuns: 150 },
  )
  expect(refused).toBeGreaterThan(30)
})

test('a column that says it has fewer than no children does not hold up the reader', async () => {
  const engine = await DuckDbParquetEngine.open()
  using folder = new TestFolder()
  const file = join(folder.root, 'checkpoint.parquet')
  await engine.writeActions(file, manyActions(60))
  const bytes = readFileSync(file)
  // In Thrift's compact form: the name, then the next field but one, a number of 32 bits, zigzag: 8, and -1 in its place.
  const place = bytes.lastIndexOf(Buffer.from('\u0003add\u0015\u0010', 'latin1'))
  expect(place).toBeGreaterThan(0)
  bytes[place + 5] = 1
  writeFileSync(file, bytes)
  await expect(readCheckpoint(file)).rejects.toMatchObject({ code: 'DELTA_LOG_CORRUPT' })
})

test('a checkpoint that is not there is DELTA_NOT_FOUND', async () => {
  using folder = new TestFolder()
  await expect(readCheckpoint(join(folder.root, 'none.parquet'))).rejects.toMatchObject({
    code: 'DELTA_NOT_FOUND',
  })
})

test('statistics that are typed only become JSON with all their digits', async () => {
  const engine = await DuckDbParquetEngine.open()
  using folder = new TestFolder()
  const file = join(folder.root, 'typed.parquet')
  const bounds = (sign: string) => `{
    'long': ${sign}9007199254740993::BIGINT, 'small': ${sign}1.50::DECIMAL(4, 2), 'decimal': ${sign}0.0123456789012345678901::DECIMAL(38, 22),
    'day': DATE '1969-12-31', 'at': TIMESTAMPTZ '1969-12-31 23:59:59.123456Z', 'local': TIMESTAMP '2024-01-01 00:00:00.000999',
    'text': 'é', 'flag': true, 'float': ${sign}0.5::FLOAT, 'none': NULL::INTEGER, 'within': {'a.b': 1}, 'bytes': 'x'::BLOB }`
  await engine.rows(
    `COPY (SELECT {'path': 'a', 'partitionValues': MAP {'p': 'q'}, 'size': 1::BIGINT, 'modificationTime': 2::BIGINT, 'dataChange': false,
      'stats': NULL::VARCHAR, 'stats_parsed': {'numRecords': 7::BIGINT, 'minValues': ${bounds('-')}, 'maxValues': ${bounds('')}}} AS add)
     TO '${file}' (FORMAT parquet)`,
  )
  const [action] = await readCheckpoint(file)
  const stats = action?.add?.stats ?? ''
  expect(parseStatistics({ stats })).toMatchObject({
    numRecords: 7,
    minValues: { long: '-9007199254740993', small: -1.5 },
  })
  expect(stats).toContain(
    '"maxValues":{"long":9007199254740993,"small":1.50,"decimal":0.0123456789012345678901,',
  )
  expect(stats).toContain(
    '"day":"1969-12-31","at":"1969-12-31T23:59:59.123Z","local":"2024-01-01T00:00:00.000",',
  )
  expect(stats).toContain('"text":"é","flag":true,"float":0.5,"within":{"a.b":1}')
})
