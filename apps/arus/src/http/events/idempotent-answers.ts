import { ArusError } from '../../errors.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { IdempotencyClaim } from './idempotency-key.ts'

const WINDOW_MS = 24 * 3_600_000
const ANSWERS_MAX = 20_000
const CHARACTERS_MAX = 8 * 1024 * 1024

export interface IdempotentAnswersOptions {
  /** How long an answer is kept. */
  readonly windowMs: number
  readonly now: () => number
  /** Default 20,000. */
  readonly answersMax?: number
  /** All answers together, as JSON. Default 8 Mi. */
  readonly charactersMax?: number
}

/** Options as the API was given them. */
export function idempotencyOf({ now, idempotencyWindowMs = WINDOW_MS }: ApiDeps): IdempotentAnswersOptions {
  return { windowMs: idempotencyWindowMs, now }
}

interface Kept {
  readonly fingerprint: string
  readonly atMs: number
  /** JSON; null while the work is under way. */
  answer: string | null
}

/**
 * Answers given under an `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): the same request again gets
 * the same answer and does no work. In memory and bounded, the oldest forgotten first.
 */
export class IdempotentAnswers {
  readonly #options: IdempotentAnswersOptions
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>()
  #characters = 0

  constructor(options: IdempotentAnswersOptions) {
    this.#options = options
  }

  /**
   * Does `work` unless it was done under this claim. Work that fails leaves nothing: it may be tried again. Throws
   * `IDEMPOTENCY_KEY_REUSED` for other content under the same key, `IDEMPOTENCY_KEY_IN_USE` while the first is under way.
   */
  async once<T>(
    { id, fingerprint }: IdempotencyClaim,
    work: () => Promise<T>,
  ): Promise<{ readonly answer: T; readonly isReplayed: boolean }> {
    this.#forget()
    const known = this.#kept.get(id)
    if (known !== undefined) return { answer: replayed(known, fingerprint), isReplayed: true }
    const kept: Kept = { fingerprint, atMs: this.#options.now(), answer: null }
    this.#kept.set(id, kept)
    try {
      const answer = await work()
      kept.answer = JSON.stringify(answer)
      this.#characters += kept.answer.length
      return { answer, isReplayed: false }
    } catch (error) {
      this.#kept.delete(id)
      throw error
    }
  }

  /** Drops what is older than the window, and the oldest of what is too much. Work under way stays. */
  #forget(): void {
    const { windowMs, now, answersMax = ANSWERS_MAX, charactersMax = CHARACTERS_MAX } = this.#options
    const expiredMs = now() - windowMs
    for (const [id, { answer, atMs }] of this.#kept) {
      const isTooMuch = this.#kept.size >= answersMax || this.#characters > charactersMax
      if (atMs > expiredMs && !isTooMuch) return
      if (answer === null) continue
      this.#kept.delete(id)
      this.#characters -= answer.length
    }
  }
}

function replayed<T>({ fingerprint, answer }: Kept, asked: string): T {
  if (fingerprint !== asked) {
    throw new ArusError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key came before with another body; give each request a key of its own.',
    )
  }
  if (answer === null) {
    throw new ArusError(
      'IDEMPOTENCY_KEY_IN_USE',
      'The first request with this Idempotency-Key is under way; send it again in a moment to see its answer.',
    )
  }
  return JSON.parse(answer) as T
}
