import { ArusError } from '../../errors.ts'
import type { SqlQuestion } from '../lake-sql.ts'
import type { TrinoQueryOptions } from './trino-client.ts'

/** Ends the work on a question at its deadline, or when the asker goes. */
export class Leash {
  readonly #startedAt = performance.now()
  readonly #stop = new AbortController()
  readonly #question: Pick<SqlQuestion, 'timeoutMs' | 'signal'>
  readonly #timer: NodeJS.Timeout
  readonly #onLeave = () => this.#stop.abort(new ArusError('CANCELLED', 'The query was cancelled'))

  constructor(question: Pick<SqlQuestion, 'timeoutMs' | 'signal'>) {
    const { timeoutMs, signal } = question
    this.#question = question
    const timeout = new ArusError(
      'QUERY_TIMEOUT',
      `The query took longer than ${timeoutMs} ms and was stopped; narrow it down by date, or allow it more time`,
    )
    this.#timer = setTimeout(() => this.#stop.abort(timeout), timeoutMs)
    signal?.addEventListener('abort', this.#onLeave, { once: true })
  }

  /** Aborts with what the asker is to be told. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  /** Of a statement: Trino has the same deadline, for one that nobody can end from here. */
  options(): TrinoQueryOptions {
    return { timeoutMs: this.#question.timeoutMs - this.elapsedMs(), signal: this.signal }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#question.signal?.removeEventListener('abort', this.#onLeave)
  }
}
