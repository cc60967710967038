import { ArusError } from '../../errors.ts'
import type { SandboxChild } from './sandbox-child.ts'

export interface PoolOptions {
  readonly size: number
  /** Questions that may wait for a process. */
  readonly queueLimit: number
  /** How long each may wait. */
  readonly waitMs: number
  /** Starts a process that has yet to say that it is ready. */
  start(): SandboxChild
}

interface Waiting {
  give(child: SandboxChild): void
  refuse(error: unknown): void
}

const RESTART_MS = { first: 100, most: 10_000 }

/** Processes kept warm. One that ends is replaced; each is lent to one question at a time. */
export class ProcessPool {
  readonly #options: PoolOptions
  readonly #children = new Set<SandboxChild>()
  readonly #idle: SandboxChild[] = []
  readonly #queue: Waiting[] = []
  #isClosed = false
  #failures = 0

  constructor(options: PoolOptions) {
    this.#options = options
    for (let i = 0; i < options.size; i++) this.#launch()
  }

  /** True once a process is up; waits for those that are starting. */
  async isReady(): Promise<boolean> {
    const alive = [...this.#children].filter(({ isAlive }) => isAlive)
    return Promise.any(alive.map(({ ready }) => ready)).then(
      () => true,
      () => false,
    )
  }

  /**
   * A process for one question that may take `timeoutMs` in all. Throws `QUERY_QUEUE_FULL` when too many wait or the wait is over,
   * `QUERY_TIMEOUT` when the time of the question is over before that, `CANCELLED`.
   */
  async acquire(timeoutMs: number, signal?: AbortSignal): Promise<SandboxChild> {
    if (this.#isClosed) throw new ArusError('NOT_READY', 'SQL is being shut down')
    const idle = this.#takeIdle()
    if (idle !== undefined) return idle
    const { queueLimit, size } = this.#options
    if (this.#queue.length >= queueLimit) {
      throw queueFull(`${size} queries run and ${queueLimit} wait; try again later`)
    }
    return this.#wait(timeoutMs, signal)
  }

  /** Takes a process back; one that is gone has been replaced already. */
  release(child: SandboxChild): void {
    if (!child.isAlive || this.#isClosed) return
    const waiting = this.#queue.shift()
    if (waiting === undefined) this.#idle.push(child)
    else waiting.give(child)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const closed = new ArusError('NOT_READY', 'SQL is being shut down')
    for (const waiting of [...this.#queue]) waiting.refuse(closed)
    const children = [...this.#children]
    for (const child of children) child.kill(closed)
    await Promise.all(children.map((child) => child.removed))
  }

  #takeIdle(): SandboxChild | undefined {
    for (;;) {
      const idle = this.#idle.pop()
      if (idle === undefined || idle.isAlive) return idle
    }
  }

  async #wait(timeoutMs: number, signal?: AbortSignal): Promise<SandboxChild> {
    const waitMs = Math.min(timeoutMs, this.#options.waitMs)
    const lent = Promise.withResolvers<SandboxChild>()
    const waiting: Waiting = {
      give: lent.resolve,
      // Leaves the queue at once, so that no process is given to someone who has gone.
      refuse: (error) => {
        const place = this.#queue.indexOf(waiting)
        if (place >= 0) this.#queue.splice(place, 1)
        lent.reject(error)
      },
    }
    this.#queue.push(waiting)
    const timer = setTimeout(() => waiting.refuse(this.#waitedInVain(waitMs)), waitMs)
    const onAbort = () => waiting.refuse(new ArusError('CANCELLED', 'The query was cancelled'))
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await lent.promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Nothing was begun: no process is killed for a question that never had one. */
  #waitedInVain(waitedMs: number): ArusError {
    const { size, waitMs } = this.#options
    return waitedMs < waitMs
      ? new ArusError(
          'QUERY_TIMEOUT',
          `No process was free within the ${waitedMs} ms the query may take; try again later`,
        )
      : queueFull(`${size} queries ran for ${waitMs} ms and none ended; try again later`)
  }

  #launch(): void {
    if (this.#isClosed) return
    const child = this.#options.start()
    this.#children.add(child)
    child.ready.then(
      () => {
        this.#failures = 0
        this.release(child)
      },
      () => {
        this.#failures += 1
      },
    )
    void child.ended.then(() => {
      this.#children.delete(child)
      const place = this.#idle.indexOf(child)
      if (place >= 0) this.#idle.splice(place, 1)
      const delayMs = Math.min(RESTART_MS.most, RESTART_MS.first * 2 ** this.#failures)
      if (this.#failures === 0) this.#launch()
      else setTimeout(() => this.#launch(), delayMs).unref()
    })
  }
}

function queueFull(message: string): ArusError {
  return new ArusError('QUERY_QUEUE_FULL', message)
}
