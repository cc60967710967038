import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import type { ArusDatabase } from '../../src/database/database.ts'
import { assertNotTooOld, openPostgresDatabase } from '../../src/database/postgres-database.ts'
import { openTestDatabase } from '../../src/database/test-database.ts'
import { ErasureStore } from '../../src/erasure/erasure-store.ts'
import type { ArusError } from '../../src/errors.ts'
import { openRegistry } from '../../src/registry/lake-registry.ts'
import { newRule } from '../../src/rules/new-rule.ts'
import { RuleBook } from '../../src/rules/rule-book.ts'
import { RuleStore } from '../../src/rules/rule-store.ts'
import { ownPostgres } from './postgres-server.ts'

const url = process.env.DATABASE_URL ?? ''
process.env.ARUS_TEST_DATABASE_URL = url
const folder = mkdtempSync(join(tmpdir(), 'arus-postgres-models-'))
afterAll(() => rmSync(folder, { recursive: true }))

const MODEL = {
  kind: 'walk',
  metrics: {},
  params: {},
  table_versions: {},
  user_count: 1,
  product_count: 1,
  interaction_count: 1,
  trained_at: Date.UTC(2026, 0, 1),
  reason: 'for a test',
}
const pin = (rank: number) => newRule({ kind: 'pin', name: `pin ${rank}`, product_id: 'a', rank })
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: ArusError) => ({ code: error.code, message: error.message }),
  )

describe('many connections', () => {
  test('that promote and roll back at once leave one version in production, the one promoted last', async () => {
    await using under = await openTestDatabase()
    const registries = await Promise.all(
      Array.from({ length: 6 }, async () => openRegistry({ database: await under.open(), folder })),
    )
    const versions = await Promise.all(
      registries.map(async (registry, i) => (await registry.register(MODEL, [Uint8Array.of(i)])).version),
    )
    expect(new Set(versions).size).toBe(6)
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        registries.map((registry, i) =>
          i === 0 && round > 0 ? registry.rollback() : registry.promote(versions[i]!, `round ${round}`),
        ),
      )
      const inProduction = (await registries[0]!.list()).filter(({ status }) => status === 'production')
      expect(inProduction).toHaveLength(1)
      const last = await (await under.open())
        .selectFrom('model_promotions')
        .select('version')
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirstOrThrow()
      expect(inProduction[0]?.version).toBe(last.version)
    }
  })

  test('that change rules at once make one history, and each reading is of one moment', async () => {
    await using under = await openTestDatabase()
    const stores = await Promise.all(
      Array.from({ length: 4 }, async () => new RuleStore({ database: await under.open() })),
    )
    const reader = new RuleStore({ database: await under.open() })
    let isDone = false
    const reading = (async () => {
      while (!isDone) {
        const { revision, rules } = await reader.current()
        expect(rules.length).toBe(revision)
      }
    })()
    await Promise.all(stores.flatMap((store) => Array.from({ length: 15 }, (_, i) => store.add(pin(i + 1)))))
    isDone = true
    await reading
    expect(await reader.revision()).toBe(60)
  })

  test('that ask to forget the same shopper make one request', async () => {
    await using under = await openTestDatabase()
    const stores = await Promise.all(
      Array.from({ length: 5 }, async () => new ErasureStore({ database: await under.open() })),
    )
    expect(new Set(await Promise.all(stores.map((store) => store.request('ani')))).size).toBe(1)
  })
})

test('whole numbers come as numbers, also beyond 32 bits', async () => {
  await using under = await openTestDatabase()
  const database = await under.open()
  await openRegistry({ database, folder }).register(MODEL, [Uint8Array.of(1)])
  const row = await database.selectFrom('models').selectAll().executeTakeFirstOrThrow()
  expect([row.version, row.trained_at, row.size_bytes, row.promoted_at]).toEqual([
    1,
    MODEL.trained_at,
    1,
    null,
  ])
})

test('two shops in one database do not see each other', async () => {
  await using one = await openTestDatabase()
  await using other = await openTestDatabase()
  await new RuleStore({ database: await one.open() }).add(pin(1))
  expect(await new RuleStore({ database: await other.open() }).current()).toEqual({ revision: 0, rules: [] })
})

describe('a finished erasure', () => {
  const REPORT = { otherNames: 0, removed: {}, remains: [], outdatedModels: [], modelInService: null }

  /** A transaction like a backup's, that has looked at a table and stays open. */
  async function looking(database: ArusDatabase, table: 'rule_book' | 'erasures') {
    const [looked, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const done = database
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (transaction) => {
        await transaction.selectFrom(table).selectAll().execute()
        looked.resolve()
        await end.promise
      })
    await looked.promise
    return async () => {
      end.resolve()
      await done
    }
  }

  test('leaves nothing, though a transaction elsewhere could still see the old rows', async () => {
    await using under = await openTestDatabase()
    const store = new ErasureStore({ database: await under.open() })
    const [id, waiting] = [await store.request('budi-secret'), await store.request('citra-waits')]
    const end = await looking(await under.open(), 'rule_book')
    await store.finish(id, REPORT)
    expect([await under.holds('budi-secret'), await under.holds('citra-waits')]).toEqual([false, true])
    expect((await store.pending()).map((request) => request.id)).toEqual([waiting])
    expect(await store.request('dewi')).toBeGreaterThan(waiting)
    await end()
  })

  test('waits for whoever reads the requests, and says so', async () => {
    await using under = await openTestDatabase()
    const store = new ErasureStore({ database: await under.open() })
    const id = await store.request('eko-secret')
    const end = await looking(await under.open(), 'erasures')
    const error = await errorOf(store.finish(id, REPORT))
    await end()
    expect([error?.code, (await store.get(id)).finishedAt]).toEqual(['NOT_READY', null])
    await store.finish(id, REPORT)
    expect(await under.holds('eko-secret')).toBe(false)
  })
})

describe('a server that goes away', () => {
  test('fails queries with a typed error, rules stay in force, and all goes on when it is back', async () => {
    await using server = await ownPostgres()
    const database = await openPostgresDatabase({ url: server.url, shop: 'shop' })
    const store = new RuleStore({ database })
    const faults: ArusError[] = []
    const book = await RuleBook.open({ store, onFault: (error) => faults.push(error as ArusError) })
    const rule = await book.add(pin(1))
    const inTransaction = database.transaction().execute(async (transaction) => {
      await transaction.selectFrom('rules').selectAll().execute()
      await server.crash()
      await transaction.selectFrom('rules').selectAll().execute()
    })
    expect(await errorOf(inTransaction)).toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    expect(await errorOf(store.add(pin(2)))).toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    await expect.poll(() => faults.length, { timeout: 10_000 }).toBeGreaterThan(0)
    expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(['ENGINE_UNREACHABLE']))
    expect(book.inForce('home', 0)?.pins).toEqual([rule])
    await server.start()
    await expect.poll(() => store.revision().catch(() => null), { timeout: 10_000 }).toBe(1)
    expect((await book.add(pin(2))).id).toMatch(/^rule_/)
    await book.close()
    await database.destroy()
  })

  test('takes no queries back from a connection that was cut in the middle', async () => {
    await using under = await openTestDatabase()
    const [database, other] = [await under.open(), await under.open()]
    for (let i = 0; i < 5; i++) {
      const cut = database.transaction().execute(async (transaction) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction)
        await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(other)
        await transaction.insertInto('rule_book').values({ revision: 9, oldest_revision: 9 }).execute()
      })
      expect(await errorOf(cut)).toMatchObject({ code: 'ENGINE_UNREACHABLE' })
      expect(await database.selectFrom('rule_book').selectAll().execute()).toHaveLength(1)
    }
  })
})

describe('wrong settings are one line', () => {
  const opened = (changed: (url: URL) => void) => {
    const other = new URL(url)
    changed(other)
    return errorOf(
      openPostgresDatabase({ url: other.href, shop: 'shop' }).then((database) => database.destroy()),
    )
  }

  test('password', async () => {
    const error = await opened((other) => {
      other.password = 'wrong-one'
    })
    expect(error).toMatchObject({ code: 'ENGINE_UNUSABLE', message: expect.stringContaining('DATABASE_URL') })
    expect(error?.message).not.toContain('wrong-one')
    expect(error?.message).not.toContain('\n')
  })

  test('database', async () => {
    const error = await opened((other) => {
      other.pathname = '/nothing'
    })
    expect(error).toMatchObject({
      code: 'ENGINE_UNUSABLE',
      message: expect.stringContaining('create the database'),
    })
  })

  test('nobody listens', async () => {
    const error = await opened((other) => {
      other.port = '1'
    })
    expect(error).toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('a server that never answers, within seconds', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const error = await opened((other) => {
      other.port = String((silent.address() as { port: number }).port)
    })
    expect(error).toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    silent.close()
  })

  test('TLS asked of a server that has none', async () => {
    const error = await opened((other) => {
      other.searchParams.set('sslmode', 'verify-full')
    })
    expect(error).toMatchObject({ code: 'ENGINE_UNREACHABLE', message: expect.stringContaining('SSL') })
  })

  test('a server that is too old', () => {
    assertNotTooOld({ number: 140_000, text: '14.0' })
    expect(() => assertNotTooOld({ number: 130_022, text: '13.22 (Debian)' })).toThrow(
      'PostgreSQL 14 or newer is needed, found 13.22 (Debian)',
    )
  })

  test('a user who may not make a schema', async () => {
    await using under = await openTestDatabase()
    const admin = await under.open()
    await sql`drop role if exists guest`.execute(admin)
    await sql`create role guest login password 'guest'`.execute(admin)
    const error = await opened((other) => {
      other.username = 'guest'
      other.password = 'guest'
    })
    await sql`drop role guest`.execute(admin)
    expect(error).toMatchObject({ code: 'ENGINE_UNUSABLE', message: expect.stringContaining('grant CREATE') })
  })
})
