import { expect, test } from 'vitest'
import type { FitOptions } from './model-fits.ts'
import type { SessionLog } from './read-sessions.ts'
import { type FitTask, runTask } from './training-task.ts'
import { TrainingThread, taskRunnerFor, taskRunnerHere } from './training-thread.ts'

const { signal } = new AbortController()
const SHOPPERS = 60
const PRODUCTS = 40
const walk = { endExponent: 0.3 }
const options: FitOptions = {
  walk,
  choice: {
    kind: 'blend',
    recencyExponent: 1,
    parts: [
      { choice: { kind: 'low-pass', options: { rank: 8 } }, weight: 1 },
      { choice: { kind: 'walk', options: walk }, weight: 0.1 },
    ],
  },
}
/** Shoppers who walk on along a circle, two products a session. */
const events = Array.from({ length: SHOPPERS * 20 }, (_, n) => {
  const session = Math.floor(n / 2)
  const shopper = session % SHOPPERS
  return { session, shopper, item: (7 * session + (n % 2)) % PRODUCTS, timeMs: session * 60_000 + n }
})
const column = (name: keyof (typeof events)[number]) => events.map((event) => event[name])
const items = Uint32Array.from(column('item'))
const timesMs = Float64Array.from(column('timeMs'))
const weights = new Float32Array(events.length).fill(1)
const fit: FitTask = {
  kind: 'fit',
  interactions: {
    userCount: SHOPPERS,
    itemCount: PRODUCTS,
    users: Uint32Array.from(column('shopper')),
    items,
    weights,
    timesMs,
  },
  features: {
    itemCount: PRODUCTS,
    featureCount: 4,
    items: Uint32Array.from({ length: PRODUCTS }, (_, item) => item),
    features: Uint32Array.from({ length: PRODUCTS }, (_, item) => item % 4),
  },
  options,
  wanted: ['popular', 'walk', 'blend'],
}
const log: SessionLog = {
  sessionCount: events.length / 2,
  itemCount: PRODUCTS,
  sessions: Uint32Array.from(column('session')),
  shoppers: fit.interactions.users,
  items,
  weights,
  timesMs,
}
const sessions = { kind: 'sessions', log, cutMs: timesMs[events.length - 400]! } as const
/** Users out of range: no model can be fitted. */
const impossible: FitTask = { ...fit, interactions: { ...fit.interactions, userCount: 1 } }

test('the thread finds what this one would, in any order of asking', async () => {
  await using thread = new TrainingThread()
  const ofSessions = thread.begin(sessions)
  const ofFit = thread.begin(fit)
  const files = await ofFit()
  expect([...files.keys()]).toEqual(['popular', 'walk', 'blend'])
  expect(files).toEqual(runTask(fit, signal))
  const found = await ofSessions()
  expect(found).not.toBeNull()
  expect(found).toEqual(runTask(sessions, signal))
})

test('sessions of one product are nothing to learn from', () => {
  const alone = { ...log, sessionCount: events.length, sessions: Uint32Array.from(events.keys()) }
  expect(runTask({ ...sessions, log: alone }, signal)).toBeNull()
})

test('a task that fails is told to whoever asks, and the next is done all the same', async () => {
  await using thread = new TrainingThread()
  const failing = thread.begin(impossible)
  const files = await thread.begin({ ...fit, wanted: ['popular'] })()
  expect([...files.keys()]).toEqual(['popular'])
  await expect(failing()).rejects.toThrow(/user \d+ at \d+ is not below 1/)
})

test('a thread that is not needed any more ends, whatever it does', async () => {
  const thread = new TrainingThread()
  const asked = thread.begin(fit)
  await thread[Symbol.asyncDispose]()
  await expect(asked()).rejects.toMatchObject({ code: 'INTERNAL' })
})

test('where there is little to do nothing is done that nobody asks for, and a stopped training does nothing more', async () => {
  const small = taskRunnerFor(events.length, signal)
  const asked = small.begin(impossible)
  expect([...(await small.begin({ ...fit, wanted: ['popular'] })()).keys()]).toEqual(['popular'])
  await expect(asked()).rejects.toThrow(/is not below 1/)
  await expect(taskRunnerHere(AbortSignal.abort()).begin(fit)()).rejects.toThrow(/abort/)
})
