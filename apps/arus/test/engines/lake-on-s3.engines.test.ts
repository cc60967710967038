/** The lake in a bucket of a real object store: the same tables, the same guarantees. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { S3Store } from '@arus/delta/s3'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { objectStores } from '../../../../engines/object-stores.ts'
import type { Health } from '../../src/api-schema/index.ts'
import { dataFolders } from '../../src/config/settings.ts'
import { topicNames } from '../../src/events/topics.ts'
import { openLake } from '../../src/lake/lake.ts'
import { startLakeWriter } from '../../src/lake/lake-writer.ts'
import { DERIVED_TABLES, refine } from '../../src/lake/refine.ts'
import { rowsOf } from '../../src/lake/test-lake.ts'
import { openParts } from '../../src/wiring.ts'
import { filesHolding } from '../forget/raw-files.ts'
import {
  ANI,
  ANI_WORDS,
  importProducts,
  newShop,
  RunningShop,
  type Shop,
  shopAWhile,
} from '../forget/shop.ts'
import { TcpGate } from './tcp-gate.ts'

describe.each(objectStores())('the lake on $name', ({ variables }) => {
  const endpoint = new URL(variables.S3_ENDPOINT!)
  const bucket = variables.S3_BUCKET!
  const store = new S3Store({
    endpoint: endpoint.origin,
    region: variables.AWS_REGION!,
    credentials: {
      accessKeyId: variables.AWS_ACCESS_KEY_ID!,
      secretAccessKey: variables.AWS_SECRET_ACCESS_KEY!,
    },
    forcePathStyle: true,
  })
  const name = `t${randomUUID().slice(0, 8)}`

  /** A shop of that name whose lake is in the bucket, by way of `port`. */
  function shopOnS3(port = Number(endpoint.port), more: Readonly<Record<string, string>> = {}): Shop {
    return newShop({
      ...variables,
      ARUS_SHOP: name,
      S3_ENDPOINT: `${endpoint.protocol}//${endpoint.hostname}:${port}`,
      ...more,
    })
  }

  async function removeObjects(): Promise<void> {
    const objects = await store.list(bucket, `${name}/`)
    for (const { key } of objects) await store.delete({ bucket, key })
  }

  describe('a shop whose lake is in a bucket', () => {
    let gate: TcpGate
    let shop: Shop
    let running: RunningShop
    beforeAll(async () => {
      gate = await TcpGate.before({ hostname: endpoint.hostname, port: Number(endpoint.port) })
      shop = shopOnS3(gate.port)
      await importProducts(shop)
      running = await RunningShop.start(shop)
      await shopAWhile(running)
    })
    afterAll(async () => {
      await running.stop()
      await gate[Symbol.asyncDispose]()
      await removeObjects()
      store.close()
      shop.destroy()
    })

    test('its tables are in the bucket, and hold row by row what a lake in a folder makes of the same log and catalogue', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'arus-folder-lake-'))
      const parts = running.parts
      const lake = await parts.lake()
      const other = openLake({ root: join(folder, 'lake'), duckdb: lake.duckdb })
      const topics = topicNames(name)
      // The catalogue comes as files, since it went into this lake by an import of its own.
      for (const part of ['bronze/products', 'bronze/categories', 'silver/products'])
        await downloadTo(join(folder, 'lake', part), `${name}/${part}/`)
      await startLakeWriter({ log: await parts.log(), lake: other, topics }).stop()
      await refine(other)
      await running.server.refineNow()
      for (const table of DERIVED_TABLES) {
        const sql = `SELECT * FROM {${table}} ORDER BY ALL`
        expect(await rowsOf(lake, sql), table).toEqual(await rowsOf(other, sql))
      }
      await other.close()
      rmSync(folder, { recursive: true })
      const { storage } = (await running.get('/system/metrics')) as {
        storage: { name: string; size_bytes: number }[]
      }
      const size = storage.find((part) => part.name === 'lake')?.size_bytes ?? 0
      expect(size).toBeGreaterThan(10_000)
    })

    test('SQL is answered from copies on this machine, and made again where they were thrown away', async () => {
      const ask = () => running.post('/sql', { sql: 'SELECT count(*) AS n FROM silver.events' })
      const first = await ask()
      expect(first).toMatchObject({ rows: [[expect.any(Number)]] })
      rmSync(dataFolders(shop.settings).lakeCache, { recursive: true })
      mkdirSync(dataFolders(shop.settings).lakeCache)
      expect(await ask()).toMatchObject({ rows: (first as { rows: unknown }).rows })
    })

    test('while the store is away events are taken and recommendations given; then it catches up by itself', async () => {
      const countOf = async () => {
        const lake = await running.parts.lake()
        return Number(
          (await rowsOf(lake, `SELECT count(*) FROM {bronze.events} WHERE user_id LIKE 'away-%'`))[0]?.[0],
        )
      }
      gate.shut()
      for (let i = 0; i < 20; i++) {
        const events = [1, 2, 3].map((n) => ({
          user_id: `away-${i}`,
          action: 'view',
          product_id: `B000${n}`,
        }))
        expect(await running.post('/stream/events', events)).toMatchObject({ accepted: 3 })
      }
      expect(await running.get('/recommendations/user/away-3?limit=3')).toMatchObject({
        recommendations: [{}, {}, {}],
      })
      const health = (await running.get('/health')) as Health
      expect(health.status).toBe('degraded')
      expect(health.slots.find(({ slot }) => slot === 'object store')).toMatchObject({
        status: 'down',
        problem: expect.stringMatching(/again later|No answer/),
      })
      gate.open()
      await expect.poll(countOf, { timeout: 60_000, interval: 500 }).toBe(60)
      await expect
        .poll(async () => ((await running.get('/health')) as Health).status, { timeout: 30_000 })
        .toBe('ok')
    })

    test('whoever is forgotten is found in no object of the bucket, and in no copy', async () => {
      const connection = await (await DuckDBInstance.create(':memory:')).connect()
      const found = async () => {
        const folder = mkdtempSync(join(tmpdir(), 'arus-objects-'))
        await downloadTo(folder, `${name}/`)
        const inBucket = await filesHolding(folder, ANI_WORDS, connection)
        rmSync(folder, { recursive: true })
        return [
          ...inBucket,
          ...(await filesHolding(dataFolders(shop.settings).lakeCache, ANI_WORDS, connection)),
        ]
      }
      expect((await found()).length).toBeGreaterThan(3)
      await running.forget(ANI)
      expect(await found()).toEqual([])
      connection.closeSync()
    })
  })

  describe('settings that are wrong', () => {
    test.each([
      ['a bucket that is not there', { S3_BUCKET: 'no-such-bucket' }, /NoSuchBucket.*|check bucket/],
      ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'wrong' }, /keys and rights/],
      ['nobody at the address', { S3_ENDPOINT: 'http://127.0.0.1:9' }, /ECONNREFUSED/],
      [
        'a host that is not there',
        { S3_ENDPOINT: 'http://no-such-host.invalid:9000' },
        /ENOTFOUND|EAI_AGAIN/,
      ],
    ])('%s: one clear line within seconds', async (_, environment, message) => {
      const shop = shopOnS3(undefined, environment)
      const parts = openParts(shop.settings)
      const startedAt = performance.now()
      await expect(parts.lake()).rejects.toThrow(message)
      expect(performance.now() - startedAt).toBeLessThan(15_000)
      await parts.close()
      shop.destroy()
    })
  })

  /** The objects below a prefix, as files of a folder. */
  async function downloadTo(folder: string, prefix: string): Promise<void> {
    for (const { key } of await store.list(bucket, prefix)) {
      const file = join(folder, key.slice(prefix.length))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, await store.read({ bucket, key }))
    }
  }
})
