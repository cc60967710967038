import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { DeltaTable, LocalStorage } from '@arus/delta'
import { DuckDbParquetEngine } from '@arus/delta/duckdb'
import type { EventLog } from '@arus/event-log'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDuckDbQueryEngine } from '../query/duckdb-query-engine.ts'
import { type Lake, openLake } from './lake.ts'
import { LAKE_GROUP } from './lake-writer.ts'
import { maintain } from './maintain.ts'
import { refine } from './refine.ts'
import { removeShopper } from './remove-shopper.ts'
import { deltaSchema } from './table-definition.ts'
import { TABLE_NAMES } from './table-names.ts'
import { definitionOf } from './tables/index.ts'
import { openTestLake, TEST_TOPICS, type TestLake, testEvent } from './test-lake.ts'

const DAY = Date.UTC(2026, 2, 10)
const python = process.env.ARUS_PYTHON ?? 'python3'
const hasDeltalake = spawnSync(python, ['-c', 'import deltalake, pyarrow']).status === 0

let shop: TestLake
let lake: Lake
let log: EventLog
beforeEach(async () => {
  shop = await openTestLake()
  lake = shop.lake
  log = shop.log
})
afterEach(() => shop.close())

const send: TestLake['send'] = (events) => shop.send(events)
const flush: TestLake['flush'] = () => shop.flush()

async function rows(sql: string): Promise<readonly (readonly unknown[])[]> {
  const engine = await openDuckDbQueryEngine({ lake, lakeRoot: shop.lakeRoot })
  try {
    return (await engine.query(sql)).rows
  } finally {
    await engine.close()
  }
}

describe('log to bronze', () => {
  test('each entry once, however often the writer starts', async () => {
    await send([
      testEvent({ event_id: 'a', price: 1.5, properties: { color: 'red' } }),
      testEvent({ event_id: 'b', user_id: 'budi' }),
    ])
    await flush()
    await flush()
    await send([testEvent({ event_id: 'c' })])
    await flush()
    expect(
      await rows('SELECT event_id, user_id, price, properties, ts FROM bronze.events ORDER BY event_id'),
    ).toEqual([
      ['a', 'ani', 1.5, '{"color":"red"}', new Date(DAY).toISOString()],
      ['b', 'budi', null, null, new Date(DAY).toISOString()],
      ['c', 'ani', null, null, new Date(DAY).toISOString()],
    ])
    expect(
      (await log.groups())
        .find(({ group }) => group === LAKE_GROUP)
        ?.partitions.every(({ lag }) => lag === 0),
    ).toBe(true)
  })

  test('a lake that is ahead of its group’s offsets (killed between the two) doubles nothing', async () => {
    await send([testEvent({ event_id: 'a' }), testEvent({ event_id: 'b', user_id: 'budi' })])
    await flush()
    await log.commit(
      LAKE_GROUP,
      TEST_TOPICS.events,
      new Map([
        [0, 0],
        [1, 0],
      ]),
    )
    await flush()
    expect(await rows('SELECT count(*) FROM bronze.events')).toEqual([[2]])
  })

  test('what is no event is kept with its reason and stops nothing', async () => {
    const poison = ['not json', '[]', '{"event_id": 7}', '{"event_id":"x","action":"view","ts":1e300}']
    await log.append(
      TEST_TOPICS.events,
      poison.map((value) => ({ key: 'k', value: Buffer.from(value), timestampMs: DAY })),
    )
    await send([testEvent({ event_id: 'good' })])
    await log.append(TEST_TOPICS.rejected, [
      {
        key: 'k',
        value: Buffer.from(JSON.stringify({ raw: '{}', pointer: '/action', reason: 'missing' })),
        timestampMs: DAY,
      },
    ])
    await flush()
    await flush()
    expect(await rows('SELECT event_id FROM bronze.events')).toEqual([['good']])
    expect(await rows('SELECT raw FROM bronze.rejected_events ORDER BY raw')).toEqual(
      [...poison, '{}'].sort().map((raw) => [raw]),
    )
  })

  test('passports become recommendations', async () => {
    const passport = {
      recommendation_id: 'r1',
      user_id: 'ani',
      scenario: 'home',
      generated_at: DAY,
      model: { name: 'walk', version: 3 },
      result: [{ product_id: 'P1' }],
      session_id: 's1',
      took_ms: 1.5,
      experiments: [{ id: 'exp_1', variant: 'new', fell_back: null }],
      shadows: [],
    }
    await log.append(TEST_TOPICS.recommendations, [
      { key: 'ani', value: Buffer.from(JSON.stringify(passport)), timestampMs: DAY },
    ])
    await flush()
    expect(
      await rows('SELECT recommendation_id, model_name, model_version, products FROM bronze.recommendations'),
    ).toEqual([['r1', 'walk', 3, '[{"product_id":"P1"}]']])
    expect(
      await rows('SELECT session_id, took_ms, experiments, shadows FROM bronze.recommendations'),
    ).toEqual([['s1', 1.5, '[{"id":"exp_1","variant":"new","fell_back":null}]', null]])
  })

  test('a table of before its newest columns gets them; they are null in the rows of then', async () => {
    const definition = definitionOf('bronze.recommendations')
    const isNew = (name: string) => name === 'rules' || name === 'exploration_probability'
    const before = { ...definition, columns: definition.columns.filter(({ name }) => !isNew(name)) }
    const connection = await shop.duckdb.connect()
    const old = await DeltaTable.create(
      {
        storage: new LocalStorage(join(shop.lakeRoot, 'bronze', 'recommendations'), { now: Date.now }),
        engine: new DuckDbParquetEngine(connection),
        now: Date.now,
      },
      { schema: deltaSchema(before), partitionColumns: ['generated_date'] },
    )
    const values = before.columns.map(({ name }) =>
      name === 'generated_date' ? `DATE '2026-03-09' AS ${name}` : `NULL AS ${name}`,
    )
    await old.commit({ add: await old.write(`SELECT ${values.join(', ')}`), operation: 'WRITE' })
    connection.closeSync()

    const rules = { revision: 2, in_force_at: DAY, applied: [] }
    const passport = { recommendation_id: 'r1', rules, exploration: { probability: 0.1, pool: 3 } }
    await log.append(TEST_TOPICS.recommendations, [
      { key: 'ani', value: Buffer.from(JSON.stringify(passport)), timestampMs: DAY },
    ])
    await flush()
    expect(
      await rows(
        'SELECT recommendation_id, rules, exploration_probability FROM bronze.recommendations ORDER BY 1 NULLS FIRST',
      ),
    ).toEqual([
      [null, null, null],
      ['r1', JSON.stringify(rules), 0.1],
    ])
  })
})

test('maintenance puts small files together and changes no row', async () => {
  for (let i = 0; i < 34; i++) {
    await send([testEvent({ event_id: `e${i}` })])
    await flush()
  }
  const before = await rows('SELECT * FROM bronze.events ORDER BY event_id')
  expect((await (await lake.table('bronze.events')).snapshot()).files.size).toBe(34)
  expect(await maintain(lake, { historyMs: 3_600_000 })).toMatchObject({ compacted: 1 })
  expect((await (await lake.table('bronze.events')).snapshot()).files.size).toBe(1)
  expect(await rows('SELECT * FROM bronze.events ORDER BY event_id')).toEqual(before)
  await send([testEvent({ event_id: 'later' })])
  await flush()
  await refine(lake)
  expect(await rows('SELECT count(*) FROM silver.events')).toEqual([[35]])
  expect(await maintain(lake, { historyMs: 3_600_000 })).toMatchObject({ compacted: 0 })
})

describe('bronze to silver and gold', () => {
  test('sessions end after 30 minutes without an event; a given session stays', async () => {
    const minutes = (n: number) => DAY + n * 60_000
    await send([
      testEvent({ event_id: '1', ts: minutes(0) }),
      testEvent({ event_id: '2', ts: minutes(30) }),
      testEvent({ event_id: '3', ts: minutes(61) }),
      testEvent({ event_id: '4', ts: minutes(62), session_id: 'given' }),
    ])
    await flush()
    await refine(lake)
    expect(await rows('SELECT event_id, session FROM silver.events ORDER BY event_id')).toEqual([
      ['1', `ani@${minutes(0)}`],
      ['2', `ani@${minutes(0)}`],
      ['3', `ani@${minutes(61)}`],
      ['4', 'given'],
    ])
  })

  test('with another gap sessions are told apart anew, once, and back again', async () => {
    const minutes = (n: number) => DAY + n * 60_000
    await send([testEvent({ event_id: '1', ts: minutes(0) }), testEvent({ event_id: '2', ts: minutes(20) })])
    await flush()
    await refine(lake)
    const withGap = (sessionGapMinutes = 30) =>
      openLake({ root: shop.lakeRoot, duckdb: shop.duckdb, sessionGapMinutes })
    const sessions = () => rows('SELECT DISTINCT session FROM silver.events ORDER BY session')
    for (const [gap, starts] of [
      [15, [0, 20]],
      [undefined, [0]],
      [15, [0, 20]],
      [20, [0]],
    ] as const) {
      const other = withGap(gap)
      expect((await refine(other)).tables[0]).toMatchObject({ table: 'silver.events', kind: 'anew' })
      expect(await sessions()).toEqual(starts.map((start) => [`ani@${minutes(start)}`]))
      expect((await refine(other)).tables[0]).toMatchObject({ kind: 'current' })
      await other.close()
    }
    await send([testEvent({ event_id: '3', ts: minutes(40) }), testEvent({ event_id: '4', ts: minutes(61) })])
    await flush()
    const other = withGap(20)
    await refine(other, { anewAboveShare: Infinity })
    expect(await sessions()).toEqual([[`ani@${minutes(0)}`], [`ani@${minutes(61)}`]])
    await other.close()
  })

  test('a removed shopper is gone from bronze, silver and gold; the others stay', async () => {
    await send([
      testEvent({ event_id: 'a' }),
      testEvent({ event_id: 'b', user_id: 'budi' }),
      testEvent({ event_id: 'c', ts: DAY + 86_400_000 }),
    ])
    await flush()
    await refine(lake)
    const rejected = (raw: string) => ({
      key: null,
      value: Buffer.from(JSON.stringify({ raw, pointer: '', reason: 'r' })),
      timestampMs: DAY,
    })
    await log.append(
      TEST_TOPICS.rejected,
      ['{"user_id":"ani"}', '{"user_id":"budi"}', 'no json, ani'].map(rejected),
    )
    await log.append(
      TEST_TOPICS.recommendations,
      ['ani', 'budi'].map((user_id) => ({
        key: user_id,
        value: Buffer.from(JSON.stringify({ recommendation_id: user_id, user_id, generated_at: DAY })),
        timestampMs: DAY,
      })),
    )
    await flush()
    expect(await removeShopper(lake, ['ani'])).toEqual({
      'bronze.events': 2,
      'bronze.recommendations': 1,
      'bronze.rejected_events': 1,
    })
    expect(await rows('SELECT raw FROM bronze.rejected_events ORDER BY raw')).toEqual([
      ['no json, ani'],
      ['{"user_id":"budi"}'],
    ])
    expect(await rows('SELECT user_id FROM bronze.recommendations')).toEqual([['budi']])
    await refine(lake)
    for (const table of ['bronze.events', 'silver.events', 'silver.interactions']) {
      expect(await rows(`SELECT count(*) FROM ${table}`)).toEqual([[1]])
    }
    expect(await rows('SELECT shopper FROM gold.user_stats')).toEqual([['budi']])
    expect(await removeShopper(lake, ['nobody'])).toEqual({
      'bronze.events': 0,
      'bronze.recommendations': 0,
      'bronze.rejected_events': 0,
    })
  })
})

describe.skipIf(!hasDeltalake)(
  'PyPI deltalake (skipped where python3 cannot import deltalake and pyarrow)',
  () => {
    test('opens every table with the rows that SQL sees', async () => {
      await send([
        testEvent({ event_id: 'a' }),
        testEvent({ event_id: 'b', user_id: 'budi', ts: DAY + 86_400_000, action: 'purchase', price: 3 }),
      ])
      await flush()
      await refine(lake)
      for (const name of TABLE_NAMES) await lake.table(name)
      const script = `import deltalake, json, os, sys
print(json.dumps({name: deltalake.DeltaTable(os.path.join(sys.argv[1], *name.split("."))).to_pyarrow_table().num_rows for name in sys.argv[2:]}), flush=True)
os._exit(0)`
      const seen = JSON.parse(
        execFileSync(python, ['-c', script, shop.lakeRoot, ...TABLE_NAMES], { encoding: 'utf8' }),
      )
      for (const name of TABLE_NAMES)
        expect([[seen[name]]], name).toEqual(await rows(`SELECT count(*) FROM ${name}`))
      expect(seen['silver.events']).toBe(2)
    })
  },
)
