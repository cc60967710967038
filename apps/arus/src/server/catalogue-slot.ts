import type { Logger } from 'pino'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { currentVersion } from '../catalogue/catalogue-folder.ts'
import { openCatalogue } from '../catalogue/folder-catalogue.ts'

const POLL_INTERVAL_MS = 2_000
/** Requests that began with the old catalogue have ended by then. */
const GRACE_MS = 30_000

/**
 * The catalogue that is served. Follows the folder, so that an import by another process is served within seconds: the
 * new version is opened beside the old one and swapped in one assignment.
 */
export class CatalogueSlot {
  readonly #folder: string
  readonly #logger: Logger
  readonly #retired = new Set<Catalogue>()
  #current: Catalogue | null = null
  #timer: NodeJS.Timeout | null = null
  #isRefreshing = false

  constructor(folder: string, logger: Logger) {
    this.#folder = folder
    this.#logger = logger
  }

  current(): Catalogue | null {
    return this.#current
  }

  async start(): Promise<void> {
    await this.refresh()
    this.#timer = setInterval(() => void this.refresh(), POLL_INTERVAL_MS)
    this.#timer.unref()
  }

  /** A version that cannot be opened is reported, and the one in place goes on serving. */
  async refresh(): Promise<void> {
    if (this.#isRefreshing) return
    this.#isRefreshing = true
    try {
      const version = currentVersion(this.#folder)
      if (version === null || version === this.#current?.version) return
      const opened = await openCatalogue({ folder: this.#folder })
      if (this.#current !== null) this.#retire(this.#current)
      this.#current = opened
      this.#logger.info({ version: opened.version, products: opened.productCount }, 'catalogue in service')
    } catch (error) {
      this.#logger.error({ err: error }, 'the catalogue could not be opened; keeping the one in place')
    } finally {
      this.#isRefreshing = false
    }
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    for (const catalogue of [this.#current, ...this.#retired]) await catalogue?.close()
    this.#current = null
    this.#retired.clear()
  }

  #retire(catalogue: Catalogue): void {
    this.#retired.add(catalogue)
    setTimeout(() => {
      if (this.#retired.delete(catalogue)) void catalogue.close()
    }, GRACE_MS).unref()
  }
}
