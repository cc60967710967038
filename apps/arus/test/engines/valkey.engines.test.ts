import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ArusError } from '../../src/errors.ts'
import { stateSharingContract } from '../../src/state/state-sharing-contract.ts'
import type { StateStore } from '../../src/state/state-store.ts'
import { stateStoreContract } from '../../src/state/state-store-contract.ts'
import { ValkeyConnection } from '../../src/state/valkey-connection.ts'
import { openValkeyStateStore } from '../../src/state/valkey-state-store.ts'
import { FaultyProxy } from './faulty-proxy.ts'
import { ownValkey } from './valkey-server.ts'

const url = process.env.REDIS_URL ?? ''

stateStoreContract('Valkey', async () => {
  const shop = randomUUID()
  return {
    open: (now) => openValkeyStateStore({ url, shop, now }),
    destroy: async () => {
      const store = await openValkeyStateStore({ url, shop })
      await store.clear('')
      await store.close()
    },
  }
})

stateStoreContract('Redis 6.2', async () => {
  const server = await ownValkey({ flavour: 'redis' })
  return {
    open: (now) => openValkeyStateStore({ url: server.url, shop: 'shop', now }),
    destroy: () => Promise.resolve(server[Symbol.asyncDispose]()),
  }
})

stateSharingContract('Valkey', async () => {
  const shop = randomUUID()
  return { open: (member) => openValkeyStateStore({ url, shop, member }), destroy: async () => {} }
})

stateSharingContract('Redis 6.2', async () => {
  const server = await ownValkey({ flavour: 'redis' })
  return {
    open: (member) => openValkeyStateStore({ url: server.url, shop: 'shop', member }),
    destroy: () => Promise.resolve(server[Symbol.asyncDispose]()),
  }
})

const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: ArusError) => ({ code: error.code, message: error.message }),
  )

/** What a stream processor is: counters and the offset they stand for in one commit; after a fault, both are read again. */
async function countTo(end: number, store: StateStore, beforeCommit: (offset: number) => void = () => {}) {
  const faults: unknown[] = []
  for (let offset = 0; offset < end; ) {
    try {
      offset = ((await store.get('offset')) as number | undefined) ?? 0
      while (offset < end) {
        const counter = `counter/${offset % 7}`
        const count = ((await store.get(counter)) as number | undefined) ?? 0
        beforeCommit(offset)
        await store.commit([
          { key: counter, value: count + 1 },
          { key: 'offset', value: offset + 1 },
        ])
        offset += 1
      }
    } catch (error) {
      faults.push((error as ArusError).code)
      await sleep(20)
    }
  }
  let counted = 0
  for await (const { value } of store.scan('counter/')) counted += value as number
  return { counted, faults }
}

describe('a commit whose outcome is not known', () => {
  let proxy: FaultyProxy
  let proxied: string
  beforeAll(async () => {
    proxy = await FaultyProxy.start(Number(new URL(url).port), 'EVAL')
    const through = new URL(url)
    through.port = String(proxy.port)
    proxied = through.href
  })
  afterAll(() => proxy[Symbol.asyncDispose]())

  test('took place, and its reply was lost: it counts once', async () => {
    const store = await openValkeyStateStore({ url: proxied, shop: randomUUID() })
    const result = await countTo(60, store, (offset) => {
      if (offset % 6 === 3) proxy.loseReply()
    })
    expect(result.counted).toBe(60)
    expect(result.faults).toContain('ENGINE_UNREACHABLE')
    await store.close()
  })

  test('was still on its way when its writer had gone on: it does not take place any more', async () => {
    const store = await openValkeyStateStore({ url: proxied, shop: randomUUID() })
    let released = 0
    const held = new Set<number>()
    const result = await countTo(60, store, (offset) => {
      if (offset % 12 === 3 && !held.has(offset)) {
        held.add(offset)
        proxy.hold()
      }
      // By then the counter of the one that is held has been counted up again.
      if (offset % 12 === 11 && proxy.release()) released += 1
    })
    expect([result.counted, released]).toEqual([60, 5])
    await store.close()
  })
})

test('of two that write at once each is told when it was not alone, and nothing is counted twice or lost', async () => {
  const shop = randomUUID()
  const stores = [await openValkeyStateStore({ url, shop }), await openValkeyStateStore({ url, shop })]
  const results = await Promise.all(stores.map((store) => countTo(100, store)))
  expect(results.some(({ faults }) => faults.includes('STATE_MOVED'))).toBe(true)
  expect((await countTo(100, stores[0]!)).counted).toBe(100)
  for (const store of stores) await store.close()
})

test('kill -9 leaves whole commits and all that was acknowledged; the same store goes on when it is back', async () => {
  for (const flavour of ['valkey', 'redis'] as const) {
    await using server = await ownValkey({ flavour })
    const store = await openValkeyStateStore({ url: server.url, shop: 'shop' })
    const many = (i: number) =>
      Array.from({ length: 500 }, (_, n) => ({ key: `m${n}`, value: `${i}`.repeat(50) }))
    let acknowledged = 0
    for (let kill = 0; kill < 3; kill++) {
      const killing = sleep(150).then(() => server.kill())
      const failure = (async () => {
        for (let i = acknowledged + 1; ; i++) {
          await store.commit([{ key: 'left', value: i }, ...many(i), { key: 'right', value: i }])
          acknowledged = i
        }
      })()
      expect(await errorOf(failure)).toMatchObject({ code: 'ENGINE_UNREACHABLE' })
      await killing
      expect(await store.isHealthy()).toBe(false)
      expect(await errorOf(store.get('left'))).toMatchObject({ code: 'ENGINE_UNREACHABLE' })
      await server.start()
      await expect.poll(() => store.get('left').catch(() => null), { timeout: 10_000 }).not.toBeNull()
      const [left, right] = await store.getMany(['left', 'right'])
      expect(left).toBe(right)
      expect(Number(left)).toBeGreaterThanOrEqual(acknowledged)
      acknowledged = Number(left)
    }
    await store.close()
  }
})

test('without memory a commit changes nothing and says so; with memory it goes on', async () => {
  await using server = await ownValkey()
  const admin = await ValkeyConnection.open(server.url)
  const store = await openValkeyStateStore({ url: server.url, shop: 'shop' })
  await store.commit([{ key: 'a', value: 1 }])
  await admin.send('CONFIG', ['SET', 'maxmemory', '1mb'])
  const error = await errorOf(
    store.commit([
      { key: 'gone', value: undefined },
      { key: 'a', value: 2 },
    ]),
  )
  expect(error).toMatchObject({ code: 'ENGINE_UNREACHABLE', message: expect.stringContaining('OOM') })
  await admin.send('CONFIG', ['SET', 'maxmemory', '0'])
  expect(await store.get('a')).toBe(1)
  await store.commit([{ key: 'a', value: 2 }])
  expect(await store.get('a')).toBe(2)
  await store.close()
  admin.close()
})

test('what was erased stands in no file of the server, nor in its lists of slow and large commands', async () => {
  for (const flavour of ['valkey', 'redis'] as const) {
    await using server = await ownValkey({ flavour, settings: { 'slowlog-log-slower-than': '0' } })
    const admin = await ValkeyConnection.open(server.url)
    const store = await openValkeyStateStore({ url: server.url, shop: 'shop' })
    for (let round = 0; round < 5; round++)
      await store.commit([
        { key: 'shopper/budi-secret', value: `a secret of round ${round}` },
        { key: 'shopper/citra', value: ['kept', round], expiresAtMs: Date.now() + 60_000 },
      ])
    await admin.send('SAVE')
    await store.commit([{ key: 'shopper/dewi-secret', value: 1 }])
    await store.commit([{ key: 'shopper/dewi-secret', value: undefined }])
    expect([server.holds('budi-secret'), server.holds('dewi-secret')]).toEqual([true, true])
    expect(await store.erase((key) => key.includes('budi'))).toBe(1)
    expect(['secret', 'budi', 'dewi'].filter((text) => server.holds(text))).toEqual([])
    expect(JSON.stringify(await admin.send('SLOWLOG', ['GET', '-1']))).not.toContain('budi')
    expect(server.holds('citra')).toBe(true)
    await server.kill()
    await server.start()
    await expect
      .poll(() => store.get('shopper/citra').catch(() => null), { timeout: 10_000 })
      .toEqual(['kept', 4])
    await store.close()
    admin.close()
  }
})

test('shops do not see each other, whatever their names and keys have in common', async () => {
  const shop = randomUUID()
  const one = await openValkeyStateStore({ url, shop })
  const other = await openValkeyStateStore({ url, shop: `${shop}-2` })
  const odd = ['a*', 'a?', 'a[b]', 'a\\', 'ab', '{x}', 'é', '猫']
  await one.commit(odd.map((key) => ({ key, value: 'one' })))
  await other.commit(odd.map((key) => ({ key, value: 'other' })))
  const found: string[] = []
  for await (const { key } of one.scan('a*')) found.push(key)
  expect(found).toEqual(['a*'])
  await one.clear('')
  expect(await one.getMany(odd)).toEqual(odd.map(() => undefined))
  expect(await other.getMany(odd)).toEqual(odd.map(() => 'other'))
  await other.clear('')
  await Promise.all([one.close(), other.close()])
})

describe('a server that will not do is refused, in one line that says what to change', () => {
  const opened = (address: string) =>
    errorOf(openValkeyStateStore({ url: address, shop: 'shop' }).then((store) => store.close()))
  const openedOn = async (
    settings: Readonly<Record<string, string>>,
    flavour: 'valkey' | 'redis' = 'valkey',
  ) => {
    await using server = await ownValkey({ settings, flavour })
    return await opened(server.url)
  }
  const refusal = (text: string) => ({ code: 'ENGINE_UNUSABLE', message: expect.stringContaining(text) })

  test('one that throws values away', async () => {
    expect(await openedOn({ 'maxmemory-policy': 'allkeys-lru' })).toMatchObject(
      refusal('set it to noeviction'),
    )
  })

  test('one that keeps nothing', async () => {
    expect(await openedOn({ appendonly: 'no' })).toMatchObject(refusal('set appendonly yes'))
  })

  test('one that may lose a second, and cannot be asked to wait', async () => {
    expect(await openedOn({ appendfsync: 'everysec' }, 'redis')).toMatchObject(
      refusal('appendfsync is everysec'),
    )
  })

  test('where it can be asked to wait, a commit does', async () => {
    await using server = await ownValkey({ settings: { appendfsync: 'everysec' } })
    const store = await openValkeyStateStore({ url: server.url, shop: 'shop' })
    await store.commit([{ key: 'a', value: 1 }])
    await server.kill()
    await server.start()
    await expect.poll(() => store.get('a').catch(() => null), { timeout: 10_000 }).toBe(1)
    await store.close()
  })

  test('one in cluster mode', async () => {
    expect(await openedOn({ 'cluster-enabled': 'yes' })).toMatchObject(refusal('cluster mode'))
  })

  test('password, none, user, database', async () => {
    const changed = (change: (address: URL) => void) => {
      const address = new URL(url)
      change(address)
      return opened(address.href)
    }
    const wrong = await changed((address) => {
      address.password = 'wrong-one'
    })
    expect(wrong).toMatchObject(refusal('look at user and password'))
    expect(wrong?.message).not.toMatch(/wrong-one|\n/)
    const none = await changed((address) => {
      address.password = ''
    })
    expect(none).toMatchObject(refusal('put the password into REDIS_URL'))
    const database = await changed((address) => {
      address.pathname = '/99'
    })
    expect(database).toMatchObject(refusal('look at REDIS_URL'))
  })

  test('nobody listens, and one that never answers', async () => {
    expect(await opened('redis://127.0.0.1:1')).toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { port } = silent.address() as { port: number }
    const startedAt = performance.now()
    expect(await opened(`redis://127.0.0.1:${port}`)).toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    silent.close()
  })

  test('the rights that the docs name are enough', async () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../../docs/OPERATIONS.md'), 'utf8')
    const words = /ACL SETUSER arus on (.*)/.exec(docs)?.[1]?.split(' ') ?? []
    await using server = await ownValkey()
    const admin = await ValkeyConnection.open(server.url)
    await admin.send('ACL', ['SETUSER', 'arus', 'on', ...words])
    const address = new URL(server.url)
    address.username = 'arus'
    address.password = 'PASSWORD'
    const warnings: string[] = []
    const onWarning = (message: string) => warnings.push(message)
    const store = await openValkeyStateStore({ url: address.href, shop: 'shop', onWarning })
    await store.commit([{ key: 'shopper/budi-secret', value: 1, expiresAtMs: Date.now() + 60_000 }])
    expect(await store.erase((key) => key.includes('budi'))).toBe(1)
    const heard = await store.sharing.watch(() => {})
    expect(await store.sharing.lead()).toBe(true)
    heard()
    expect([server.holds('budi-secret'), warnings]).toEqual([false, []])
    expect(JSON.stringify(await admin.send('SLOWLOG', ['GET', '-1']))).not.toContain('budi')
    await store.close()
    admin.close()
  })

  test('a user who may ask neither whether it syncs nor for waiting is warned', async () => {
    await using server = await ownValkey()
    const admin = await ValkeyConnection.open(server.url)
    await admin.send('ACL', ['SETUSER', 'guest', 'on', '>guest', '~arus:*', '+@all', '-waitaof', '-config'])
    const address = new URL(server.url)
    address.username = 'guest'
    address.password = 'guest'
    const warnings: string[] = []
    const store = await openValkeyStateStore({
      url: address.href,
      shop: 'shop',
      onWarning: (message) => warnings.push(message),
    })
    await store.commit([{ key: 'a', value: 1 }])
    expect([warnings.length, await store.get('a')]).toEqual([1, 1])
    await store.close()
    admin.close()
  })
})
