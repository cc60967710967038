/** Memory of a whole Arus under a load that goes on: it must not grow with time. */
import { readdirSync, readFileSync } from 'node:fs'
import { type RunningServer, withServer } from './running-server.ts'
import { sendSteadily } from './steady-events.ts'

export interface SteadyOptions {
  readonly productCount: number
  readonly eventsPerSecond: number
  readonly minutes: number
  readonly port: number
}

const MB = 1024 * 1024
const REPORTS = 20
const ANSWER_INTERVAL_MS = 50

interface Memory {
  readonly minute: number
  /** Of the server and of the processes that it started, MB resident, without mapped files. */
  readonly server: number
  readonly others: number
}

/**
 * Sends events and asks for recommendations at a steady rate, and prints the memory of the server and of its
 * processes, with its growth over the second half of the time (least squares, MB an hour).
 */
export async function benchSteady(options: SteadyOptions): Promise<void> {
  const { minutes, eventsPerSecond } = options
  console.log(`\nSteady load, ${eventsPerSecond} events/s and 20 recommendations/s for ${minutes} minutes`)
  await withServer('steady', options, async (server) => {
    const memories: Memory[] = []
    const startedMs = performance.now()
    const latenciesMs: number[] = []
    const watch = setInterval(
      () => {
        const memory = memoryOf(server, (performance.now() - startedMs) / 60_000)
        memories.push(memory)
        console.log(
          `  minute ${memory.minute.toFixed(1)}: server ${memory.server.toFixed(0)} MB, its processes ${memory.others.toFixed(0)} MB, events acknowledged in ${percentile(latenciesMs.splice(0), 0.99).toFixed(0)} ms (p99)`,
        )
      },
      (minutes * 60_000) / REPORTS,
    )
    const stop = new AbortController()
    const asking = askSteadily(server.baseUrl, stop.signal)
    try {
      await sendSteadily(
        server.baseUrl,
        server.productIds,
        { eventsPerSecond, seconds: minutes * 60 },
        (latencyMs) => latenciesMs.push(latencyMs),
      )
    } finally {
      clearInterval(watch)
      stop.abort()
    }
    const answersMs = await asking
    const half = memories.slice(Math.floor(memories.length / 2))
    console.log(
      `  growth over the second half: server ${growthOf(half, 'server')}, its processes ${growthOf(half, 'others')}; ${answersMs.length} recommendations, p50 ${percentile(answersMs, 0.5).toFixed(1)} ms, p99 ${percentile(answersMs, 0.99).toFixed(1)} ms`,
    )
  })
}

async function askSteadily(baseUrl: string, signal: AbortSignal): Promise<number[]> {
  const latenciesMs: number[] = []
  for (let n = 0; !signal.aborted; n++) {
    // Every other shopper is new.
    const user = n % 2 === 0 ? `load-${n % 2_000}` : `newcomer-${n}`
    const askedMs = performance.now()
    const answer = await fetch(`${baseUrl}/recommendations/user/${user}?limit=10`)
    await answer.text()
    if (!answer.ok) throw new Error(`a recommendation was answered with ${answer.status}`)
    latenciesMs.push(performance.now() - askedMs)
    await new Promise((resolve) => setTimeout(resolve, ANSWER_INTERVAL_MS))
  }
  return latenciesMs
}

function memoryOf({ pid }: RunningServer, minute: number): Memory {
  const others = readdirSync('/proc')
    .map(Number)
    .filter((other) => other > 0 && isChildOf(other, pid))
  return {
    minute,
    server: residentMb(pid),
    others: others.reduce((sum, other) => sum + residentMb(other), 0),
  }
}

function isChildOf(pid: number, parent: number): boolean {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) === parent
  } catch {
    return false
  }
}

/** Without pages of mapped files, which the kernel drops when it needs room: the log and live state are such files. */
function residentMb(pid: number): number {
  try {
    return (Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / MB
  } catch {
    return 0
  }
}

/** Slope of the least-squares line. */
function growthOf(memories: readonly Memory[], of: 'server' | 'others'): string {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  const minutes = memories.map(({ minute }) => minute)
  const sizes = memories.map((memory) => memory[of])
  const [middle, size] = [mean(minutes), mean(sizes)]
  const above = minutes.reduce((sum, minute, n) => sum + (minute - middle) * (sizes[n]! - size), 0)
  const below = minutes.reduce((sum, minute) => sum + (minute - middle) ** 2, 0)
  return `${((60 * above) / Math.max(below, Number.EPSILON)).toFixed(1)} MB/hour`
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
