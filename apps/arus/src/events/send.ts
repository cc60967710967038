import { ArusError } from '../errors.ts'
import { keyHeader } from '../keys/key-header.ts'
import { pause } from '../pause.ts'
import type { OnProgress } from '../progress.ts'
import type { IngestResult } from './ingest.ts'

/** Takes a batch of raw events: the HTTP API or an `Ingest`. */
export type Sink = (
  events: readonly unknown[],
) => Promise<Pick<IngestResult, 'accepted' | 'duplicates' | 'rejected'>>

export interface SendOptions {
  readonly sink: Sink
  /** Events per second; 0 sends as fast as the sink takes them. */
  readonly rate: number
  /** Default 500. */
  readonly batchSize?: number
  /** Batches under way at once. Default 4. */
  readonly concurrency?: number
  readonly total: number | null
  readonly step: string
  readonly onProgress: OnProgress
  readonly signal: AbortSignal
}

export interface SendReport {
  readonly accepted: number
  readonly duplicates: number
  readonly rejected: number
  readonly seconds: number
}

const RETRIES_MAX = 60
const PACE_MS = 50

/** Sends events in order of the source, a bounded number of batches at once; a sink that is overloaded is given time. */
export async function sendEvents(
  events: Iterable<unknown> | AsyncIterable<unknown>,
  options: SendOptions,
): Promise<SendReport> {
  const { sink, rate, batchSize = 500, concurrency = 4, total, step, onProgress, signal } = options
  const startedAt = performance.now()
  const report = { accepted: 0, duplicates: 0, rejected: 0, seconds: 0 }
  const underWay = new Set<Promise<void>>()
  let taken = 0
  const size = rate > 0 ? Math.max(1, Math.min(batchSize, Math.round((rate * PACE_MS) / 1000))) : batchSize
  const dispatch = async (batch: readonly unknown[]) => {
    signal.throwIfAborted()
    if (rate > 0) await waitUntil(startedAt + (1000 * taken) / rate, signal)
    taken += batch.length
    const sending = sendBatch(sink, batch, signal).then((result) => {
      report.accepted += result.accepted
      report.duplicates += result.duplicates
      report.rejected += result.rejected
      onProgress({ step, done: report.accepted + report.duplicates + report.rejected, total, unit: 'events' })
    })
    underWay.add(sending)
    sending.finally(() => underWay.delete(sending)).catch(() => {})
    if (underWay.size >= concurrency) await Promise.race(underWay)
  }
  let batch: unknown[] = []
  for await (const event of events) {
    batch.push(event)
    if (batch.length < size) continue
    await dispatch(batch)
    batch = []
  }
  if (batch.length > 0) await dispatch(batch)
  await Promise.all(underWay)
  return { ...report, seconds: (performance.now() - startedAt) / 1000 }
}

export interface HttpSinkOptions {
  readonly apiUrl: string
  readonly signal: AbortSignal
  /** The key to present; null: none. */
  readonly key: string | null
}

/** The HTTP API of a running server as a sink. Throws `SERVER_UNREACHABLE`, `INGEST_OVERLOADED`. */
export function httpSink({ apiUrl, signal, key }: HttpSinkOptions): Sink {
  return async (events) => {
    const response = await fetch(`${apiUrl}/stream/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...keyHeader(key) },
      body: JSON.stringify(events),
      signal,
    }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw new ArusError(
        'SERVER_UNREACHABLE',
        `No Arus answers at ${apiUrl}; start it with "npm start", or write straight to the log with --direct`,
        { cause: error },
      )
    })
    if (response.status === 503 || response.status === 429)
      throw new ArusError('INGEST_OVERLOADED', 'The server asks for time', {
        details: { retryAfterMs: 1000 * Number(response.headers.get('retry-after') ?? 1) },
      })
    const body: unknown = await response.json()
    // A lone event that is refused is answered with a problem document.
    if (response.status === 400 && events.length === 1) return { accepted: 0, duplicates: 0, rejected: 1 }
    if (!response.ok)
      throw new ArusError(
        'REQUEST_INVALID',
        `POST /stream/events answered ${response.status}: ${JSON.stringify(body).slice(0, 300)}`,
      )
    return body as IngestResult
  }
}

async function sendBatch(sink: Sink, batch: readonly unknown[], signal: AbortSignal) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await sink(batch)
    } catch (error) {
      if (!isNotNow(error) || attempt >= RETRIES_MAX) throw error
      await waitUntil(performance.now() + Number(error.details.retryAfterMs ?? 200), signal)
    }
  }
}

function isNotNow(error: unknown): error is ArusError {
  return error instanceof ArusError && (error.code === 'INGEST_OVERLOADED' || error.code === 'NOT_READY')
}

async function waitUntil(atMs: number, signal: AbortSignal): Promise<void> {
  const waitMs = atMs - performance.now()
  if (waitMs <= 0) return
  await pause(waitMs, signal)
  signal.throwIfAborted()
}
