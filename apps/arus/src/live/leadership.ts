import type { StateSharing } from '../state/state-store.ts'
import { type RetryOptions, untilAborted } from './retrying.ts'
import { StoredElsewhere } from './stored-elsewhere.ts'

export interface LeadershipOptions extends Pick<RetryOptions, 'retryMs' | 'onFault'> {
  /** Absent: nobody else is there, and this process leads as long as it lives. */
  readonly sharing: StateSharing | undefined
  /** What whoever leads does, until the signal aborts. Calls `isReady` of this when it stands on what is stored. */
  readonly lead: (signal: AbortSignal) => Promise<void>
  /** Takes what is stored for the truth. */
  readonly restore: () => Promise<void>
  /** Follows what another process has stored. */
  readonly follow: (keys: readonly string[]) => Promise<void>
}

/**
 * Which of the processes that share a store applies the log to it. One leads; the others follow what it stores, and one of
 * them leads when it is gone. Whoever comes to lead begins with what is stored, so that no event counts twice or never.
 */
export class Leadership {
  readonly #options: LeadershipOptions
  /** While this process leads. */
  #term: AbortController | null = null
  /** While it follows. */
  #following: AbortController | null = null
  #claims: PromiseWithResolvers<void>[] = []
  readonly #listeners: ((isLeading: boolean) => void)[] = []

  constructor(options: LeadershipOptions) {
    this.#options = options
  }

  /** As far as is known here. Always where nobody else is there. */
  get isLeading(): boolean {
    return this.#options.sharing === undefined || this.#term !== null
  }

  /** Calls back now, and whenever a term has begun or ended. */
  onRole(listener: (isLeading: boolean) => void): void {
    this.#listeners.push(listener)
    listener(this.isLeading)
  }

  /** Leads or follows by turns until the signal aborts. Whatever throws is taken for something that passes. */
  async run(signal: AbortSignal): Promise<void> {
    const { sharing, onFault, retryMs } = this.#options
    const work = async (succeeded: () => void) => {
      if (sharing === undefined || (await sharing.lead({ force: this.#claims.length > 0 })))
        await this.#lead(signal)
      else await this.#follow(sharing, signal)
      succeeded()
    }
    await untilAborted(work, { signal, retryMs, onFault })
  }

  /** Makes sure that this process still leads; where it does not its term ends. Throws when that cannot be asked now. */
  async check(): Promise<boolean> {
    const { sharing } = this.#options
    if (sharing === undefined) return true
    const term = this.#term
    if (term === null) return false
    const isLeader = await sharing.lead()
    if (!isLeader) term.abort()
    return isLeader
  }

  /** Makes this process lead, whoever did before; resolves when it stands on what is stored. */
  async claim(): Promise<void> {
    if (await this.check()) return
    const claim = Promise.withResolvers<void>()
    this.#claims.push(claim)
    this.#following?.abort()
    await claim.promise
  }

  /** For whoever leads: what is stored is in memory. */
  isReady(): void {
    for (const claim of this.#claims) claim.resolve()
    this.#claims = []
  }

  /** Leaves the lead to others. */
  async resign(): Promise<void> {
    for (const claim of this.#claims) claim.reject(new Error('live state was stopped'))
    this.#claims = []
    await this.#options.sharing?.resign()
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { sharing, lead } = this.#options
    const term = new AbortController()
    this.#isNow(term)
    // One that cannot be renewed is renewed later, or is found lost by the next commit.
    const renew = () => void this.check().catch(() => {})
    const timer = sharing === undefined ? null : setInterval(renew, sharing.renewMs)
    try {
      await lead(AbortSignal.any([signal, term.signal]))
    } finally {
      if (timer !== null) clearInterval(timer)
      this.#isNow(null)
    }
  }

  #isNow(term: AbortController | null): void {
    this.#term = term
    for (const listener of this.#listeners) listener(this.isLeading)
  }

  /** Until the lead is free, or claimed here. */
  async #follow(sharing: StateSharing, signal: AbortSignal): Promise<void> {
    const { restore, follow } = this.#options
    const following = new AbortController()
    this.#following = following
    const ended = AbortSignal.any([signal, following.signal])
    const stored = new StoredElsewhere()
    const unwatch = await sharing.watch((keys) => stored.add(keys))
    try {
      await restore()
      let askedAtMs = performance.now()
      while (!ended.aborted && this.#claims.length === 0) {
        const keys = await stored.take(sharing.renewMs, ended)
        if (keys === null) await restore()
        else if (keys.length > 0) await follow(keys)
        if (keys?.length !== 0 && performance.now() - askedAtMs < sharing.renewMs) continue
        if (ended.aborted || (await sharing.lead())) return
        askedAtMs = performance.now()
      }
    } finally {
      this.#following = null
      unwatch()
    }
  }
}
