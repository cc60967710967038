import { setTimeout as sleep } from 'node:timers/promises'
import type { EventLog, LogBatch } from '@arus/event-log'
import { backoffMs } from './poison-watch.ts'

export interface FollowOptions {
  readonly log: EventLog
  readonly topic: string
  /** Where to read on, by partition; looked at again after each fault. */
  readonly from: ReadonlyMap<number, number>
  readonly maxRecords: number
  /** Wait after a fault, doubled with each one in a row. */
  readonly retryMs: number
  readonly signal: AbortSignal
  readonly onBatch: (batch: LogBatch) => Promise<void>
  readonly onFault: (error: unknown) => void
  /** Brings what a fault has left half done in order, before the log is read on. */
  readonly recover: () => Promise<void>
}

/** Hands over batch after batch until the signal aborts. Whatever throws is taken for something that passes. */
export async function followLog(options: FollowOptions): Promise<void> {
  const { log, topic, from, maxRecords, retryMs, signal, onBatch, onFault, recover } = options
  let faultsInRow = 0
  while (!signal.aborted) {
    try {
      for await (const batch of log.consume(topic, { from, maxRecords, signal })) {
        await onBatch(batch)
        faultsInRow = 0
      }
    } catch (error) {
      if (signal.aborted) return
      onFault(error)
      faultsInRow += 1
      await sleep(backoffMs(faultsInRow, retryMs), undefined, { signal }).catch(() => {})
      await recover().catch(onFault)
    }
  }
}

/** So many entries of a batch, those before the offset left out, with the offset that they stand for. */
export function partOf(batch: LogBatch, fromOffset: number, count: number): LogBatch {
  const entries = batch.entries.filter(({ offset }) => offset >= fromOffset)
  const part = entries.slice(0, count)
  const last = part.at(-1)
  const isEnd = last === undefined || part.length === entries.length
  return { ...batch, entries: part, nextOffset: isEnd ? batch.nextOffset : last.offset + 1 }
}
