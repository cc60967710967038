/** Copies the log into bronze until stopped. */
export interface LakeWriter {
  /** Resolves when everything in the log at the time of the call is in bronze. */
  flush(): Promise<void>
  /** Flushes, then stops. */
  stop(): Promise<void>
}

export interface RoundOptions {
  /** Between two looks at the log. Default 5,000. */
  readonly intervalMs?: number
  /** False: a round is left out, as another process keeps the lake. */
  readonly isDue?: () => boolean
  /** Told of a round that failed; the next one tries again. */
  readonly onFault?: (error: unknown) => void
}

/** Copies in rounds, one at a time. A round brings everything that is in the log when it begins. */
export function startCopyRounds(copyAll: () => Promise<void>, options: RoundOptions): LakeWriter {
  return new CopyRounds(copyAll, options)
}

class CopyRounds implements LakeWriter {
  readonly #copyAll: () => Promise<void>
  readonly #timer: NodeJS.Timeout
  #round: Promise<void> | null = null
  #isStopped = false

  constructor(copyAll: () => Promise<void>, { intervalMs = 5_000, isDue, onFault }: RoundOptions) {
    this.#copyAll = copyAll
    this.#timer = setInterval(() => {
      if (this.#round === null && isDue?.() !== false)
        this.flush().catch((error: unknown) => onFault?.(error))
    }, intervalMs)
  }

  async flush(): Promise<void> {
    // A round under way may have looked at the log before this call: only the next one surely has not.
    await this.#round?.catch(() => {})
    this.#round ??= this.#copyAll().finally(() => {
      this.#round = null
    })
    await this.#round
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.flush()
  }
}
