import type { EventQueue } from './event-queue.ts'
import { warn } from './warn.ts'

/** Events wait this long for others to go with. */
const BATCH_WAIT_MS = 1_000
/** So many do not wait. */
const BATCH_EVENTS = 20
const ANSWER_WAIT_MS = 10_000
const RETRY_WAIT_MS_MIN = 1_000
const RETRY_WAIT_MS_MAX = 3_600_000
/** Sending the same again would change nothing. */
const HOPELESS: readonly number[] = [400, 413]

/** Brings events of the queue to the server. */
export interface Sender {
  /** There is something new to send: soon, or at once where there is enough. */
  wake(): void
  /** Sends all that waits, unless the server asked for a pause. Never rejects. */
  flush(): Promise<void>
  /** The connection is back: no reason to go on waiting. */
  retryNow(): void
  /** The page may never run again: gives the browser what this page added. */
  leave(): void
}

export interface SenderOptions {
  readonly queue: EventQueue
  /** Address to post to, with the key in it: a beacon cannot set headers, and without any no preflight is needed. */
  readonly url: string
  readonly isAllowed: () => boolean
}

/**
 * One batch is under way at a time, over all pages of the origin where the browser has locks. A batch leaves the queue when the
 * server has answered; a repeat, such as after a lost answer, counts once by its event ids.
 */
export function createSender({ queue, url, isAllowed }: SenderOptions): Sender {
  let underWay: readonly string[] = []
  let running: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let pausedUntilMs = 0

  const schedule = () => {
    if (timer) return
    const waitMs = Math.max(BATCH_WAIT_MS, pausedUntilMs - Date.now())
    timer = setTimeout(() => {
      timer = undefined
      void flush()
    }, waitMs)
  }
  const flush = () => {
    running ??= withLock(drain)
      .catch(warn)
      .then(() => {
        running = undefined
        if (isAllowed() && queue.size() > 0) schedule()
      })
    return running
  }
  const drain = async () => {
    while (isAllowed() && Date.now() >= pausedUntilMs) {
      const batch = queue.batch()
      if (batch === null) return
      underWay = batch.names
      const waitMs = await post(url, batch.body)
      underWay = []
      if (waitMs === null) {
        failures = 0
        queue.remove(batch)
      } else {
        const leastMs = Math.max(waitMs, RETRY_WAIT_MS_MIN * 2 ** failures++)
        pausedUntilMs = Date.now() + Math.min(leastMs, RETRY_WAIT_MS_MAX) * (1 + Math.random() / 2)
      }
    }
  }
  return {
    flush,
    wake: () => {
      if (queue.size() < BATCH_EVENTS) schedule()
      else void flush()
    },
    retryNow: () => {
      pausedUntilMs = failures = 0
      void flush()
    },
    leave: () => {
      for (
        let batch = queue.unsent(underWay);
        isAllowed() && batch !== null;
        batch = queue.unsent(underWay)
      ) {
        if (!navigator.sendBeacon(url, batch.body)) return
        queue.markBeaconed(batch)
      }
    },
  }
}

/** Null when the server has dealt with the events; else the pause it asks for, in milliseconds, 0 when it asks for none. */
async function post(url: string, body: string): Promise<number | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      keepalive: true,
      credentials: 'omit',
      signal: AbortSignal.timeout(ANSWER_WAIT_MS),
    })
    if (!response.ok && !HOPELESS.includes(response.status))
      return pauseOf(response.headers.get('retry-after'))
    const { errors, detail } = await response.json()
    if (detail ?? errors?.[0]) warn(detail ?? errors)
    return null
  } catch {
    return 0
  }
}

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), in milliseconds from now. */
function pauseOf(header: string | null): number {
  return Number(header) * 1000 || Date.parse(header ?? '') - Date.now() || 0
}

/** Runs `work` unless another page of the origin is at it. Locks exist in secure contexts only. */
async function withLock(work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work()
  await navigator.locks.request('arus', { ifAvailable: true }, (lock) => lock && work())
}
