import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbEventLog } from '@arus/event-log'
import { expect, test } from 'vitest'
import { openLmdbStateStore } from '../state/lmdb-state-store.ts'
import { startLiveProcessor } from './live-processor.ts'

const NOON = Date.UTC(2026, 2, 10, 12)
const EVENTS = 50_000
const SHOPPERS = 500

/** Follows the log and says when it begins and ends a commit, and when it has caught up. */
const CHILD = `
  import { openLmdbEventLog } from '@arus/event-log'
  import { openLmdbStateStore } from ${JSON.stringify(join(import.meta.dirname, '../state/lmdb-state-store.ts'))}
  import { startLiveProcessor } from ${JSON.stringify(join(import.meta.dirname, 'live-processor.ts'))}
  const folder = process.env.ARUS_TEST_FOLDER
  const log = await openLmdbEventLog({ folder: folder + '/log' })
  const state = await openLmdbStateStore({ folder: folder + '/killed', now: () => ${NOON} })
  const commit = state.commit.bind(state)
  state.commit = async (changes) => {
    process.stdout.write('begin\\n')
    await commit(changes)
    process.stdout.write('end\\n')
  }
  await startLiveProcessor({ log, topic: 'events', rejectedTopic: 'rejected', state, now: () => ${NOON}, idempotencyWindowMs: 86400000 })
  process.stdout.write('done\\n')
  setInterval(() => {}, 1000)`

test('killed again and again while it catches up, it ends where one that lived ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-live-kill-'))
  const log = await openLmdbEventLog({ folder: join(folder, 'log') })
  await log.ensureTopic('events', { partitionCount: 2 })
  // A third of the ids come twice.
  const events = Array.from({ length: EVENTS }, (_, i) => eventOf((i * 7919) % ((EVENTS * 3) / 4)))
  await log.append('events', events)

  let kills = 0
  while (!(await killedBeforeDone(folder, 1 + (kills % 4)))) kills += 1
  expect(kills).toBeGreaterThan(3)

  expect(await pictureOf('killed')).toEqual(await pictureOf('fresh'))
  await log.close()
  rmSync(folder, { recursive: true })

  async function pictureOf(name: string) {
    const state = await openLmdbStateStore({ folder: join(folder, name), now: () => NOON })
    const live = await startLiveProcessor({
      log,
      topic: 'events',
      rejectedTopic: 'rejected',
      state,
      now: () => NOON,
      idempotencyWindowMs: 86_400_000,
    })
    const { events_per_second: _, recent_events: __, ...analytics } = live.analytics()
    const shoppers = Array.from({ length: SHOPPERS }, (_, i) => `u${i}`)
    const picture = {
      analytics,
      histories: await Promise.all(shoppers.map((shopper) => live.history(shopper))),
      counters: await Promise.all(shoppers.map((_, i) => live.productCounters(`P${i}`))),
    }
    expect(analytics.events_total).toBe((EVENTS * 3) / 4)
    await live.stop()
    await state.close()
    return picture
  }
})

/** Starts a process and kills it at its so-many-th word, unless it is done before; true when it was done. */
async function killedBeforeDone(folder: string, words: number): Promise<boolean> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', CHILD], {
    cwd: import.meta.dirname,
    env: { ...process.env, ARUS_TEST_FOLDER: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: string[] = []
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    said.push(...(chunk as string).trim().split('\n'))
    if (said.includes('done') || said.length >= words) break
  }
  child.kill('SIGKILL')
  if (child.signalCode === null) await once(child, 'exit')
  return said.includes('done')
}

function eventOf(n: number) {
  const body = {
    event_id: `e${n}`,
    user_id: `u${n % SHOPPERS}`,
    session_id: n % 2 === 0 ? `s${n % 700}` : null,
    anonymous_id: null,
    action: ['view', 'click', 'add_to_cart', 'purchase'][n % 4],
    product_id: `P${n % 1_000}`,
    ts: NOON - (n % 100_000) * 1_000,
    received_at: NOON,
    price: 1,
    quantity: 1,
    order_id: null,
    recommendation_id: null,
    position: null,
    query: null,
    properties: null,
  }
  return { key: body.user_id, value: Buffer.from(JSON.stringify(body)), timestampMs: NOON }
}
