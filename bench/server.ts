import { withServer } from './running-server.ts'
import { benchServe } from './serve.ts'
import { send } from './steady-events.ts'

const PORT = 8390
const USERS = 2_000
const MANY_USERS = 100_000
/** Of each of the many, so that all have a past. */
const EVENTS_PER_USER = 3
const SESSIONS = 2_000
const EVENTS_PER_SESSION = 3
const BATCH_SIZE = 500

/** Starts a generated shop of its own and measures requests against it, beside a bare route in the same run. */
export async function benchServer(productCount = 1_426_337): Promise<void> {
  await withServer('server', { productCount, port: PORT }, async ({ baseUrl, pid, productIds }) =>
    benchServe({
      baseUrl,
      pid,
      users: Array.from({ length: USERS }, (_, i) => String(i + 1)),
      manyUsers: await startUsers(baseUrl, productIds),
      sessions: await startSessions(baseUrl, productIds),
      products: productIds,
    }),
  )
}

/** Lets many shoppers look at some products each. */
async function startUsers(baseUrl: string, products: readonly string[]): Promise<string[]> {
  const users = Array.from({ length: MANY_USERS }, (_, n) => `many-${n}`)
  await sendViews(baseUrl, products, { who: users.map((user_id) => ({ user_id })), each: EVENTS_PER_USER })
  return users
}

/** Lets visitors look at some products each. */
async function startSessions(baseUrl: string, products: readonly string[]): Promise<string[]> {
  const sessions = Array.from({ length: SESSIONS }, (_, n) => `bench-${n}`)
  const who = sessions.map((session_id) => ({ session_id }))
  await sendViews(baseUrl, products, { who, each: EVENTS_PER_SESSION })
  return sessions
}

async function sendViews(
  baseUrl: string,
  products: readonly string[],
  { who, each }: { readonly who: readonly object[]; readonly each: number },
): Promise<void> {
  const events = who.flatMap((name, n) =>
    Array.from({ length: each }, (_, step) => ({
      ...name,
      action: 'view',
      product_id: products[(n * 7 + step) % products.length],
    })),
  )
  for (let from = 0; from < events.length; from += BATCH_SIZE)
    await send(baseUrl, events.slice(from, from + BATCH_SIZE))
}

if (import.meta.main) await benchServer(process.argv[2] === undefined ? undefined : Number(process.argv[2]))
