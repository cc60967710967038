import { withServer } from './running-server.ts'
import { benchServe } from './serve.ts'

const PORT = 8390
const USERS = 2_000
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
      sessions: await startSessions(baseUrl, productIds),
      products: productIds,
    }),
  )
}

/** Lets visitors look at some products each. */
async function startSessions(baseUrl: string, products: readonly string[]): Promise<string[]> {
  const sessions = Array.from({ length: SESSIONS }, (_, n) => `bench-${n}`)
  const events = sessions.flatMap((session_id, n) =>
    Array.from({ length: EVENTS_PER_SESSION }, (_, step) => ({
      session_id,
      action: 'view',
      product_id: products[(n * 7 + step) % products.length],
    })),
  )
  for (let from = 0; from < events.length; from += BATCH_SIZE) {
    const body = JSON.stringify(events.slice(from, from + BATCH_SIZE))
    const headers = { 'content-type': 'application/json' }
    await (await fetch(`${baseUrl}/stream/events`, { method: 'POST', headers, body })).text()
  }
  return sessions
}

if (import.meta.main) await benchServer(process.argv[2] === undefined ? undefined : Number(process.argv[2]))
