import { setTimeout as sleep } from 'node:timers/promises'
import { ArusError } from '../errors.ts'
import type { OnProgress } from '../progress.ts'
import type { Erasure, ErasureReport } from './erasure.ts'
import type { ErasureStore } from './erasure-store.ts'

export interface ErasureWorkerOptions {
  readonly store: ErasureStore
  /** False: another process carries them out, and this one waits for it. */
  readonly isDue?: () => boolean
  readonly carryOut: (erasure: Erasure, onProgress: OnProgress) => Promise<ErasureReport>
  readonly onProgress?: OnProgress
  /** Told of a request that could not be carried out; it is tried again. */
  readonly onFault?: (error: unknown) => void
  /** Between two looks for requests of other processes. Default 1,000. */
  readonly intervalMs?: number
  /** Before one that failed is tried again. Default 60,000. */
  readonly retryMs?: number
}

const LOOK_MS = 200
/** Progress is written down for other processes at most so often. */
const TELL_MS = 300

/** Carries out requests to forget shoppers, one at a time, whoever made them: this process, another, or one that died. */
export class ErasureWorker {
  readonly #options: ErasureWorkerOptions
  readonly #failures = new Map<number, { readonly error: unknown; readonly atMs: number }>()
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #isStopped = false

  constructor(options: ErasureWorkerOptions) {
    this.#options = options
  }

  start(): void {
    const { intervalMs = 1_000, onFault } = this.#options
    this.#timer = setInterval(() => {
      if (this.#isDue) this.#run().catch((error: unknown) => onFault?.(error))
    }, intervalMs)
    this.#timer.unref()
  }

  /** Lets what is under way finish. */
  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#running?.catch(() => {})
  }

  /** Resolves when the shopper is erased. Throws what went wrong; the request stands and is tried again. */
  async forget(shopper: string): Promise<ErasureReport> {
    const { store } = this.#options
    const id = await store.request(shopper)
    this.#failures.delete(id)
    for (;;) {
      const { finishedAt, report, failure: failureElsewhere } = await store.get(id)
      if (finishedAt !== null && report !== null) return report
      const failure = this.#failures.get(id)
      if (failure !== undefined) throw failure.error
      if (failureElsewhere !== null && !this.#isDue)
        throw new ArusError(
          'NOT_READY',
          `The shopper is not forgotten yet: ${failureElsewhere}. It is tried again.`,
        )
      if (this.#isStopped)
        throw new ArusError('NOT_READY', 'Arus is stopping; the shopper is forgotten when it runs again.')
      if (this.#isDue) await this.#run()
      else await sleep(LOOK_MS)
    }
  }

  get #isDue(): boolean {
    return this.#options.isDue?.() !== false
  }

  /** Carries out all that wait. */
  runAll(): Promise<void> {
    return this.#run()
  }

  #run(): Promise<void> {
    this.#running ??= this.#runPending().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #runPending(): Promise<void> {
    for (const erasure of await this.#options.store.pending()) {
      if (this.#isStopped) return
      const { retryMs = 60_000 } = this.#options
      const failure = this.#failures.get(erasure.id)
      if (failure !== undefined && performance.now() - failure.atMs < retryMs) continue
      await this.#carryOut(erasure)
    }
  }

  async #carryOut(erasure: Erasure): Promise<void> {
    const { store, carryOut, onFault } = this.#options
    const { id, work, report } = erasure
    try {
      // Done but for the last step.
      const done = work === null && report !== null ? report : await carryOut(erasure, this.#progressOf(id))
      await store.finish(id, done)
      this.#failures.delete(id)
    } catch (error) {
      this.#failures.set(id, { error, atMs: performance.now() })
      onFault?.(error)
      await store.failed(id, error instanceof Error ? error.message : String(error))
    }
  }

  #progressOf(id: number): OnProgress {
    const { store, onProgress = () => {} } = this.#options
    let toldMs = Number.NEGATIVE_INFINITY
    return (progress) => {
      onProgress(progress)
      if (performance.now() - toldMs < TELL_MS) return
      toldMs = performance.now()
      // Shown to a person only.
      void store.progressed(id, progress).catch(() => {})
    }
  }
}
