import type { Logger } from 'pino'
import { type ErasureStore, hashOf, mayHold } from '../erasure/erasure-store.ts'
import type { ModelVersion, Registry } from '../registry/registry.ts'
import { loadServingModel } from '../training/load-serving-model.ts'
import type { ServingModel } from '../training/serving-model.ts'

const POLL_INTERVAL_MS = 1_000
/** A registry is left alone four times as long as it took to answer, so that it does not work for this alone; at most so long. */
const POLL_INTERVAL_MS_MAX = 4_000
const REST_PER_WORK = 4
/** A version that cannot be had is tried again after a second, then two, four, … up to this: it may be large. */
const RETRY_MS_MAX = 60_000

/**
 * The model that serves. Follows the registry, so that a promotion by any process is picked up within about a
 * second, or a few where the registry is slow: the new model is loaded beside the old one and swapped in one assignment, so no request waits or fails.
 */
export class ModelSlot {
  readonly #registry: Pick<Registry, 'production' | 'artefact'>
  readonly #erasures: Pick<ErasureStore, 'erased'>
  readonly #logger: Logger
  #withheld: ReadonlySet<string> = new Set()
  #current: ServingModel | null = null
  #loadedVersion: number | null = null
  #timer: NodeJS.Timeout | null = null
  #isRefreshing = false
  #isClosed = false
  /** The version that could not be loaded last, and when it is tried again. */
  #missed: { readonly version: number; readonly times: number; readonly againMs: number } | null = null
  /** What was reported last: said once, not each second. */
  #complaint: string | null = null

  constructor(
    registry: Pick<Registry, 'production' | 'artefact'>,
    erasures: Pick<ErasureStore, 'erased'>,
    logger: Logger,
  ) {
    this.#registry = registry
    this.#erasures = erasures
    this.#logger = logger
  }

  current(): ServingModel | null {
    return this.#current
  }

  /** True for a name of a shopper who was erased and whose history this model may hold. */
  isWithheld(name: string): boolean {
    return this.#withheld.size > 0 && this.#withheld.has(hashOf(name))
  }

  /** Loads the version in production now, then follows it until `close`. */
  async start(): Promise<void> {
    await this.#refreshAndRest()
  }

  async #refreshAndRest(): Promise<void> {
    const startedAt = performance.now()
    await this.refresh()
    if (this.#isClosed) return
    const restMs = REST_PER_WORK * (performance.now() - startedAt)
    const pauseMs = Math.max(POLL_INTERVAL_MS, Math.min(restMs, POLL_INTERVAL_MS_MAX))
    this.#timer = setTimeout(() => void this.#refreshAndRest(), pauseMs)
    this.#timer.unref()
  }

  /** A version that cannot be read is reported, and the one in place goes on serving. */
  async refresh(): Promise<void> {
    if (this.#isRefreshing) return
    this.#isRefreshing = true
    try {
      const production = await this.#registry.production()
      this.#withheld = await this.#withheldFrom(production)
      if ((production?.version ?? null) !== this.#loadedVersion) await this.#load(production)
      else this.#missed = null
      if (this.#missed === null) this.#complaint = null
    } catch (error) {
      this.#complain(error)
    } finally {
      this.#isRefreshing = false
    }
  }

  async #load(production: ModelVersion | null): Promise<void> {
    if (production !== null && this.#missed?.version === production.version) {
      if (performance.now() < this.#missed.againMs) return
    } else this.#missed = null
    try {
      this.#current =
        production === null
          ? null
          : loadServingModel(production, await this.#registry.artefact(production.version))
    } catch (error) {
      const times = (this.#missed?.times ?? 0) + 1
      const pauseMs = Math.min(POLL_INTERVAL_MS * 2 ** (times - 1), RETRY_MS_MAX)
      if (production !== null)
        this.#missed = { version: production.version, times, againMs: performance.now() + pauseMs }
      throw error
    }
    this.#missed = null
    this.#loadedVersion = production?.version ?? null
    this.#logger.info({ version: this.#loadedVersion }, 'model in service')
  }

  #complain(error: unknown): void {
    const complaint = error instanceof Error ? error.message : String(error)
    if (complaint === this.#complaint) return
    this.#complaint = complaint
    this.#logger.error(
      { err: error },
      'the model in production could not be loaded; keeping the one in place',
    )
  }

  async #withheldFrom(production: ModelVersion | null): Promise<ReadonlySet<string>> {
    if (production?.outdated !== true) return new Set()
    const erased = await this.#erasures.erased()
    const held = erased.filter((history) => mayHold(history, production.trained_at))
    return new Set(held.flatMap(({ hashes }) => hashes))
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }
}
