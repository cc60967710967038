/** Requests against a running Arus, beside a bare Fastify route that answers the same bytes, in the same run. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import Fastify from 'fastify'
import { type LoadResult, load, requestOf } from './http-load.ts'
import { cpuSecondsOf } from './measure.ts'
import { sendSteadily } from './steady-events.ts'

export interface ServeBenchOptions {
  /** Address of a running Arus. */
  readonly baseUrl: string
  /** Shoppers with a history, all of whom do something between the rounds; requests are for one of them at random. */
  readonly users: readonly string[]
  /** Shoppers with a history, who do something while others of them ask. */
  readonly manyUsers: readonly string[]
  /** Sessions under way, of nobody known. */
  readonly sessions: readonly string[]
  /** Arus's process, whose CPU time is measured. */
  readonly pid: number
  readonly products: readonly string[]
  /** Of each of the rounds. Default 4. */
  readonly seconds?: number
  /** Default 16. */
  readonly connectionCount?: number
  /** Rounds, interleaved; the median is printed. Default 3. */
  readonly rounds?: number
}

interface Work {
  readonly name: string
  readonly budget: string
  readonly baseUrl: string
  readonly pid: number
  /** Events or answers in one request. */
  readonly perRequest: number
  readonly nextRequest: () => Buffer
  /** Who does something meanwhile, in an order of its own; nobody where it is not told. */
  readonly acting?: readonly string[]
}

/** With the CPU time of the server's process, user and system, for each request. */
interface Round extends LoadResult {
  readonly cpuUsPerRequest: number
  /** That came in meanwhile, with their CPU time in that of the requests. */
  readonly eventsPerSecond: number
}

const BATCH_SIZE = 100
/** Events that come in beside requests for one of many shoppers. */
const EVENTS_PER_SECOND = 2_000
const SETTLE_LOOK_MS = 300
const SETTLE_LOOKS_MAX = 200
const BARE_FLAG = '--bare-json-route'

if (process.argv[2] === BARE_FLAG) await serveBareRoute()

/** Prints requests/s, p50 and p99 of each kind of request, the ratio to the bare route, and the budget. */
export async function benchServe(options: ServeBenchOptions): Promise<void> {
  const answer = await (await fetch(`${options.baseUrl}${userPath(options.users[0] ?? 'nobody')}`)).text()
  const bare = await startBareRoute(answer)
  try {
    const works = worksOf(options, bare)
    const results = new Map<Work, Round[]>(works.map((work) => [work, []]))
    const { seconds = 4, connectionCount = 16, rounds = 3 } = options
    for (const { baseUrl, nextRequest } of works)
      await load({ baseUrl, nextRequest, connectionCount, seconds: 1 })
    await settle(options.baseUrl)
    for (let round = 0; round < rounds; round++) {
      for (const work of works) {
        const { baseUrl, pid, nextRequest } = work
        const before = cpuSecondsOf(pid)
        const acting = actMeanwhile(work, options.products, { round, seconds })
        const result = await load({ baseUrl, nextRequest, connectionCount, seconds })
        const eventsPerSecond = await acting
        const cpuUsPerRequest = ((cpuSecondsOf(pid) - before) * 1e6) / result.requestCount
        results.get(work)?.push({ ...result, cpuUsPerRequest, eventsPerSecond })
        await settle(options.baseUrl)
      }
    }
    print(results, connectionCount)
  } finally {
    bare.stop()
  }
}

/** Sends views of those who act, as many a second as is said or as can be; answers how many a second these were. */
async function actMeanwhile(
  { acting, baseUrl }: Work,
  products: readonly string[],
  { round, seconds }: { readonly round: number; readonly seconds: number },
): Promise<number> {
  if (acting === undefined) return 0
  const eventCount = EVENTS_PER_SECOND * seconds
  const from = (round * eventCount) % acting.length
  const shoppers = [...acting.slice(from), ...acting.slice(0, from)]
  const startedMs = performance.now()
  await sendSteadily(baseUrl, products, { eventsPerSecond: EVENTS_PER_SECOND, seconds, shoppers }, () => {})
  return (eventCount * 1000) / (performance.now() - startedMs)
}

/** Waits until the events sent have been applied, so that what is measured next does not pay for them. */
async function settle(baseUrl: string): Promise<void> {
  let before = -1
  for (let look = 0; look < SETTLE_LOOKS_MAX; look++) {
    const { events_total } = (await (await fetch(`${baseUrl}/analytics`)).json()) as { events_total: number }
    if (events_total === before) return
    before = events_total
    await new Promise((resolve) => setTimeout(resolve, SETTLE_LOOK_MS))
  }
}

function worksOf(
  { baseUrl, pid, users, manyUsers, sessions, products }: ServeBenchOptions,
  bare: Pick<BareRoute, 'url' | 'pid'>,
): Work[] {
  const random = randomOf(1)
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? 'none'
  const recommendations = users.map((user) => requestOf('GET', userPath(user)))
  const ofMany = manyUsers.map((user) => requestOf('GET', userPath(user)))
  const similar = products.map((id) => requestOf('GET', `/recommendations/similar/${id}?limit=10`))
  const ofSessions = sessions.map((session) =>
    requestOf('GET', `/recommendations/session/${session}?limit=10`),
  )
  let count = 0
  const run = Date.now().toString(36)
  const eventOf = () =>
    `{"event_id":"bench-${run}-${count++}","user_id":${JSON.stringify(pick(users))},"action":"view","product_id":${JSON.stringify(pick(products))}}`
  return [
    {
      name: 'bare Fastify JSON route, same bytes',
      budget: '',
      baseUrl: bare.url,
      pid: bare.pid,
      perRequest: 1,
      nextRequest: () => recommendations[0] as Buffer,
    },
    {
      name: `GET /recommendations/user/{of ${format(manyUsers.length)}, some of whom act}`,
      budget: '≥ 6,000/s, p99 ≤ 15 ms; then half of bare, p99 ≤ 5 ms',
      baseUrl,
      pid,
      perRequest: 1,
      nextRequest: () => ofMany[Math.floor(random() * ofMany.length)] as Buffer,
      acting: manyUsers,
    },
    {
      name: `GET /recommendations/user/{of ${format(users.length)} who all just acted: the worst}`,
      budget: '',
      baseUrl,
      pid,
      perRequest: 1,
      nextRequest: () => recommendations[Math.floor(random() * recommendations.length)] as Buffer,
    },
    {
      name: 'GET /recommendations/similar/{random}?limit=10',
      budget: '≥ 10,000/s',
      baseUrl,
      pid,
      perRequest: 1,
      nextRequest: () => similar[Math.floor(random() * similar.length)] as Buffer,
    },
    {
      name: 'GET /recommendations/session/{random}?limit=10',
      budget: '≥ 15,000/s',
      baseUrl,
      pid,
      perRequest: 1,
      nextRequest: () => ofSessions[Math.floor(random() * ofSessions.length)] as Buffer,
    },
    {
      name: 'POST /stream/events, one event',
      budget: '≥ 7,856/s (8 × Gorse’s 982); then 15,000/s',
      baseUrl,
      pid,
      perRequest: 1,
      nextRequest: () => requestOf('POST', '/stream/events', eventOf()),
    },
    {
      name: `POST /stream/events, ${BATCH_SIZE} events`,
      budget: '≥ 60,000 events/s; then 150,000/s',
      baseUrl,
      pid,
      perRequest: BATCH_SIZE,
      nextRequest: () =>
        requestOf('POST', '/stream/events', `[${Array.from({ length: BATCH_SIZE }, eventOf).join(',')}]`),
    },
  ]
}

function print(results: ReadonlyMap<Work, readonly Round[]>, connectionCount: number): void {
  console.log(
    `\nServing, ${connectionCount} connections, median of ${[...results.values()][0]?.length} rounds`,
  )
  const bareRate = medianOf([...results.values()][0] ?? [], 'requestsPerSecond')
  for (const [{ name, budget, perRequest, acting }, rounds] of results) {
    const rate = medianOf(rounds, 'requestsPerSecond')
    const failures = rounds.reduce((sum, { failureCount }) => sum + failureCount, 0)
    const beside =
      acting === undefined ? '' : ` beside ${format(medianOf(rounds, 'eventsPerSecond'))} events/s`
    const events = perRequest === 1 ? beside : ` = ${format(rate * perRequest)} events/s`
    console.log(
      `  ${name.padEnd(58)} ${format(rate)}/s${events}, p50 ${medianOf(rounds, 'latencyMsP50').toFixed(2)} ms, p99 ${medianOf(rounds, 'latencyMsP99').toFixed(2)} ms, ${(rate / bareRate).toFixed(2)} × bare, ${format(medianOf(rounds, 'cpuUsPerRequest'))} µs of CPU${failures === 0 ? '' : `, ${failures} FAILED`}${budget === '' ? '' : `  (budget: ${budget})`}`,
    )
  }
}

function medianOf(results: readonly Round[], field: keyof Round): number {
  const sorted = results.map((result) => result[field]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function userPath(user: string): string {
  return `/recommendations/user/${encodeURIComponent(user)}?limit=10`
}

interface BareRoute {
  readonly url: string
  readonly pid: number
  stop(): void
}

async function startBareRoute(answer: string): Promise<BareRoute> {
  const child = fork(import.meta.filename, [BARE_FLAG])
  child.send(answer)
  const [url] = (await once(child, 'message')) as [string]
  return { url, pid: child.pid!, stop: () => void child.kill() }
}

/** In a process of its own: answers every recommendation request with the body it was told. */
async function serveBareRoute(): Promise<void> {
  const [answer] = (await once(process, 'message')) as [string]
  const body: unknown = JSON.parse(answer)
  const app = Fastify()
  app.get('/recommendations/user/:user_id', async () => body)
  process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
  process.on('disconnect', () => process.exit(0))
}

/** Mulberry32: the same requests in every run. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
