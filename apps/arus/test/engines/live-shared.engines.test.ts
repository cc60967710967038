/** Several processes that share live state on one Valkey: one applies the log, the others follow. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LiveProcessor, startLiveProcessor } from '../../src/live/live-processor.ts'
import { picture, storedIn, TestLive } from '../../src/live/test-live.ts'
import { ValkeyConnection } from '../../src/state/valkey-connection.ts'
import { openValkeyStateStore, type ValkeyStateStore } from '../../src/state/valkey-state-store.ts'
import { distinctOf, eventsOf, SHOPPERS } from './test-events.ts'
import { type OwnValkey, ownValkey } from './valkey-server.ts'

/** A lease of 5 s, and what two busy cores add. */
const TAKEN_OVER_MS_MAX = 20_000

interface Member {
  readonly store: ValkeyStateStore
  readonly live: LiveProcessor
  readonly faults: unknown[]
}

let server: OwnValkey
/** With a processor of its own on LMDB, which says what is right. */
let shop: TestLive
let members: Member[]
let children: ChildProcess[]
beforeEach(async () => {
  server = await ownValkey()
  shop = await TestLive.open()
  members = []
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const { live } of members) await live.stop()
  for (const { store } of members) await store.close()
  await shop.close()
  await server[Symbol.asyncDispose]()
})

async function joined(name: string): Promise<Member> {
  const store = await openValkeyStateStore({
    url: server.url,
    shop: 'shop',
    member: name,
    now: () => shop.nowMs,
  })
  const faults: unknown[] = []
  const onFault = (error: unknown) => void faults.push((error as { code?: unknown }).code ?? error)
  const live = await startLiveProcessor({ ...shop.options(), state: store, retryMs: 20, onFault })
  const member = { store, live, faults }
  members.push(member)
  return member
}

/** In a process of its own; resolves when it has caught up. */
async function joinedProcess(
  member: string,
): Promise<{ readonly child: ChildProcess; readonly role: string }> {
  const file = join(import.meta.dirname, 'live-member.ts')
  const child = spawn(process.execPath, [file, join(shop.folder, 'log'), server.url, member], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [role] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string]
  return { child, role: role.trim() }
}

/** The member stops, the other one leads, and it comes back to follow. */
async function handOver(member: Member, to: string): Promise<void> {
  await member.live.stop()
  await expect.poll(leaderName, { timeout: TAKEN_OVER_MS_MAX }).toBe(to)
  await member.store.close()
  members = members.filter((other) => other !== member)
  Object.assign(member, await joined('two'))
  expect(member.live.isLeading).toBe(false)
}

async function leaderName(): Promise<unknown> {
  const admin = await ValkeyConnection.open(server.url)
  const name = await admin.send('GET', ['arus:{shop}#lease'])
  admin.close()
  return name
}

async function caughtUp(...processors: readonly LiveProcessor[]): Promise<void> {
  const { partitions } = await shop.log.topic('events')
  for (const { partition, endOffset } of partitions)
    for (const live of processors) expect(await live.waitFor(partition, endOffset - 1, 60_000)).toBe(true)
}

/** What all of them say, which must be what the one on LMDB says. */
async function expectRight(rounds: number, ...processors: readonly LiveProcessor[]): Promise<void> {
  await caughtUp(shop.live, ...processors)
  // The order of trends is kept for a second of the clock.
  shop.pass(2_000)
  const right = await wholePicture(shop.live)
  expect(right.analytics.events_total).toBe(distinctOf(rounds))
  for (const live of processors) expect(await wholePicture(live)).toEqual(right)
}

async function wholePicture(live: LiveProcessor) {
  const products = ['P0', 'P1', 'P2', 'P3']
  return {
    ...(await picture(live)),
    pairs: await Promise.all(products.map((product) => live.goesWith(product, 10))),
    summaries: await Promise.all(SHOPPERS.map((shopper) => live.shopper(shopper))),
    sessions: await Promise.all(['s0-0', 's1-3', 's4-4'].map((session) => live.session(session))),
    trending: live.trending(10),
    known: await live.isKnown(['e0', 'e179', 'never']),
  }
}

async function expectStoredRight(): Promise<void> {
  await shop.live.flush()
  const store = await openValkeyStateStore({ url: server.url, shop: 'shop', now: () => shop.nowMs })
  expect(await storedIn(store)).toEqual(await storedIn(shop.state))
  await store.close()
}

test('one applies the log, the other says the same', async () => {
  const [one, two] = [await joined('one'), await joined('two')]
  expect([one.live.isLeading, two.live.isLeading]).toEqual([true, false])
  let heard = 0
  two.live.onShopperChange('ani', () => {
    heard += 1
  })
  for (let round = 0; round < 12; round++) {
    await shop.append(eventsOf(round))
    // Asked in between, so that what is remembered from before would show.
    await wholePicture(two.live)
    if (round % 3 === 2) {
      await caughtUp(shop.live, one.live, two.live)
      shop.pass(2_000)
      expect(await wholePicture(two.live)).toEqual(await wholePicture(one.live))
    }
  }
  await expectRight(12, one.live, two.live)
  expect(heard).toBeGreaterThan(0)
  expect([one.faults, two.faults]).toEqual([[], []])
  await expectStoredRight()
})

test('whoever leads stops, and starts again: the other has gone on at once', async () => {
  const [one, two] = [await joined('one'), await joined('two')]
  let rounds = 0
  for (const [leader, other] of [
    [one, two],
    [two, one],
    [one, two],
  ] as const) {
    await shop.append(eventsOf(rounds++))
    await expect.poll(() => leader.live.isLeading, { timeout: TAKEN_OVER_MS_MAX }).toBe(true)
    await leader.live.stop()
    await shop.append(eventsOf(rounds++))
    await caughtUp(other.live)
    expect(other.live.isLeading).toBe(true)
    members.splice(members.indexOf(leader), 1)
    await leader.store.close()
    Object.assign(leader, await joined(leader === one ? 'one' : 'two'))
    expect(leader.live.isLeading).toBe(false)
  }
  await expectRight(rounds, one.live, two.live)
  await expectStoredRight()
})

test('kill -9 of whoever leads, under load: another takes over, each event counts once', async () => {
  let rounds = 0
  const first = await joinedProcess('killed')
  expect(first.role).toBe('leads')
  const two = await joined('two')
  for (const wait of [0, 30, 120]) {
    for (let i = 0; i < 5; i++) await shop.append(eventsOf(rounds++))
    await sleep(wait)
    children.at(-1)!.kill('SIGKILL')
    await shop.append(eventsOf(rounds++))
    await expect.poll(() => two.live.isLeading, { timeout: TAKEN_OVER_MS_MAX }).toBe(true)
    await expectRight(rounds, two.live)
    expect((await joinedProcess('killed')).role).toBe('follows')
    await handOver(two, 'killed')
  }
  await expectRight(rounds, two.live)
  await expectStoredRight()
}, 180_000)

test('a leader that was frozen and wakes up writes nothing more, and follows', async () => {
  let rounds = 0
  const { child } = await joinedProcess('frozen')
  const two = await joined('two')
  for (let i = 0; i < 3; i++) {
    for (let k = 0; k < 3; k++) await shop.append(eventsOf(rounds++))
    child.kill('SIGSTOP')
    await shop.append(eventsOf(rounds++))
    await expect.poll(() => two.live.isLeading, { timeout: TAKEN_OVER_MS_MAX }).toBe(true)
    await shop.append(eventsOf(rounds++))
    child.kill('SIGCONT')
    await sleep(500)
    await shop.append(eventsOf(rounds++))
    await expectRight(rounds, two.live)
    expect(two.live.isLeading).toBe(true)
    await handOver(two, 'frozen')
  }
  await expectRight(rounds, two.live)
  await expectStoredRight()
}, 180_000)

test('the server dies and comes back while both are there', async () => {
  const [one, two] = [await joined('one'), await joined('two')]
  for (let round = 0; round < 9; round++) {
    await shop.append(eventsOf(round))
    if (round % 3 !== 2) continue
    await server.kill()
    await shop.append(eventsOf(round))
    await sleep(200)
    await server.start()
  }
  await expectRight(9, one.live, two.live)
  await expectStoredRight()
}, 120_000)

test('a connection that breaks while commits are made misses none', async () => {
  const [one, two] = [await joined('one'), await joined('two')]
  const admin = await ValkeyConnection.open(server.url)
  for (let round = 0; round < 20; round++) {
    await shop.append(eventsOf(round))
    await admin.send('CLIENT', ['KILL', 'TYPE', 'pubsub'])
    await sleep(50)
  }
  admin.close()
  await expectRight(20, one.live, two.live)
}, 120_000)

test('to forget a shopper, and to rebuild, a follower takes the lead', async () => {
  const [one, two] = [await joined('one'), await joined('two')]
  await shop.append(eventsOf(0))
  await caughtUp(shop.live, one.live, two.live)
  expect(await two.live.history('budi')).not.toEqual([])
  expect(await one.live.history('budi')).not.toEqual([])
  expect(await two.live.forget('budi')).toBe(await shop.live.forget('budi'))
  await expect.poll(() => one.live.isLeading, { timeout: TAKEN_OVER_MS_MAX }).toBe(false)
  expect(two.live.isLeading).toBe(true)
  await expect.poll(() => one.live.history('budi')).toEqual([])
  expect(await one.live.shopper('budi')).toBeNull()
  expect(await wholePicture(two.live)).toEqual(await wholePicture(shop.live))

  await one.live.rebuild()
  await shop.live.rebuild()
  await expectRight(1, one.live)
  const isSame = async () => {
    shop.pass(2_000)
    return isDeepStrictEqual(await wholePicture(two.live), await wholePicture(one.live))
  }
  await expect.poll(isSame, { timeout: TAKEN_OVER_MS_MAX }).toBe(true)
  expect(two.live.isLeading).toBe(false)
}, 60_000)
