import type { EventLog, LogBatch } from '@arus/event-log'
import { type RetryOptions, untilAborted } from './retrying.ts'

export interface FollowOptions extends RetryOptions {
  readonly log: EventLog
  readonly topic: string
  /** Where to read on, by partition; asked at the start and whenever reading begins anew. */
  readonly from: () => ReadonlyMap<number, number>
  readonly maxRecords: number
  /** False: read again from where `from` says now. */
  readonly onBatch: (batch: LogBatch) => Promise<boolean>
  /** Called once when nothing came for so long after a batch; `came` resolves once something has. False as above. */
  readonly pauseMs: number
  readonly onPause: (came: Promise<void>) => Promise<boolean>
}

/** Hands over batch after batch until the signal aborts. Whatever throws is taken for something that passes. */
export async function followLog(options: FollowOptions): Promise<void> {
  await untilAborted((succeeded) => followOnce(options, succeeded), options)
}

/** Until the signal aborts, something throws, or the log is to be read from elsewhere. */
async function followOnce(options: FollowOptions, onSuccess: () => void): Promise<void> {
  const { log, topic, from, maxRecords, pauseMs, signal, onBatch, onPause } = options
  const stop = new AbortController()
  const abort = () => stop.abort()
  signal.addEventListener('abort', abort, { once: true })
  const batches = log
    .consume(topic, { from: from(), maxRecords, signal: stop.signal })
    [Symbol.asyncIterator]()
  try {
    if (signal.aborted) return
    for (let next = batches.next(); ; next = batches.next()) {
      const came = next.then(nothing, nothing)
      if (!(await isWithin(came, pauseMs)) && !(await onPause(came))) return
      const { done, value } = await next
      if (done || !(await onBatch(value))) return
      onSuccess()
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // A read that still waits must end first, or `return` would wait for it.
    stop.abort()
    await batches.return?.()
  }
}

function nothing(): void {}

/** Whether the promise resolves before so much time has passed. */
async function isWithin(promise: Promise<void>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), ms)
  const isInTime = await Promise.race([promise.then(() => true), late.promise])
  clearTimeout(timer)
  return isInTime
}

/** So many entries of a batch, those before the offset left out, with the offset that they stand for. */
export function partOf(batch: LogBatch, fromOffset: number, count: number): LogBatch {
  const entries = batch.entries.filter(({ offset }) => offset >= fromOffset)
  const part = entries.slice(0, count)
  const last = part.at(-1)
  const isEnd = last === undefined || part.length === entries.length
  return { ...batch, entries: part, nextOffset: isEnd ? batch.nextOffset : last.offset + 1 }
}
