import { ArusError } from '../../src/errors.ts'
import type { StateChange, StateSharing, StateStore, StateValue } from '../../src/state/state-store.ts'
import { type Io, written } from './io.ts'
import { MemoryState, type StateContent } from './memory-state.ts'

const LEASE_MS = 5_000
/** Share of messages on which the connection that was to bring them breaks. */
const BREAK_SHARE = 0.02

/** What a server that several processes share keeps beside the values. */
export interface SharedTurns {
  turn: string
  holder: string | null
  heldUntilMs: number
  readonly watchers: Set<Watcher>
}

interface Watcher {
  /** Brings one message after the other, each some time after it was said. */
  hear(message: Message): void
}

interface Message {
  readonly before: string
  readonly after: string
  readonly keys: readonly string[]
}

export function noTurns(): SharedTurns {
  return { turn: '', holder: null, heldUntilMs: 0, watchers: new Set() }
}

export interface SharedStateOptions {
  readonly content: StateContent
  readonly turns: SharedTurns
  readonly member: string
  readonly now: () => number
  readonly io: Io
  /** Between 0 and 1. */
  readonly random: () => number
  /** A mistake that is built in: commits take place whoever leads. */
  readonly isUnfenced: boolean
}

/** A store shared by several processes, by the contract of the one on Valkey: a lease, turns, and messages of commits. */
export class SharedState implements StateStore {
  readonly sharing: StateSharing
  readonly #options: SharedStateOptions
  readonly #values: MemoryState
  #turn: string
  #turnCount = 0
  #isHeld = false
  #isTorn = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: SharedStateOptions) {
    this.#options = options
    this.#values = new MemoryState(options.content, options.now, options.io)
    this.#turn = options.turns.turn
    this.sharing = {
      renewMs: LEASE_MS / 4,
      followerCount: 1,
      lead: ({ force = false } = {}) => this.#lead(force),
      resign: () => this.#resign(),
      watch: async (onCommit) => this.#watch(onCommit),
    }
  }

  async get(key: string): Promise<StateValue | undefined> {
    await this.#settle()
    return this.#values.get(key)
  }

  async getMany(keys: readonly string[]): Promise<(StateValue | undefined)[]> {
    await this.#settle()
    return this.#values.getMany(keys)
  }

  async *scan(prefix: string): AsyncIterable<{ readonly key: string; readonly value: StateValue }> {
    await this.#settle()
    yield* this.#values.scan(prefix)
  }

  commit(changes: readonly StateChange[]): Promise<void> {
    const done = this.#last.then(() => this.#commit(changes))
    this.#last = done.catch(() => {})
    return done
  }

  async erase(matches: (key: string) => boolean): Promise<number> {
    const keys = [...this.#options.content.keys()].filter(matches)
    await this.commit(keys.map((key) => ({ key, value: undefined })))
    return keys.length
  }

  async clear(prefix: string): Promise<void> {
    await this.erase((key) => key.startsWith(prefix))
  }

  sizeBytes(): Promise<number> {
    return this.#values.sizeBytes()
  }

  isHealthy(): Promise<boolean> {
    return this.#values.isHealthy()
  }

  close(): Promise<void> {
    return this.#values.close()
  }

  async #commit(changes: readonly StateChange[]): Promise<void> {
    const { io, turns, content, now, isUnfenced } = this.#options
    const staged: StateContent = new Map()
    await new MemoryState(staged, now).commit(changes)
    await this.#settle()
    const before = this.#turn
    const after = this.#nextTurn()
    this.#turn = after
    const write = () => {
      if (turns.turn !== before && !isUnfenced)
        throw new ArusError('STATE_MOVED', 'Live state is not as it was left')
      for (const { key } of changes) {
        const value = staged.get(key)
        if (value === undefined) content.delete(key)
        else content.set(key, value)
      }
      const said = turns.turn
      turns.turn = after
      this.#say({ before: said, after, keys: changes.map(({ key }) => key) })
    }
    try {
      await written(io, 'state.commit', { write, failure: () => new RangeError('the commit failed') })
    } catch (error) {
      this.#isTorn = true
      throw error
    }
  }

  async #settle(): Promise<void> {
    if (this.#isTorn) await this.#take({ force: false, isLease: this.#isHeld })
  }

  async #lead(force: boolean): Promise<boolean> {
    if (!this.#isHeld || this.#isTorn) {
      this.#isHeld = await this.#take({ force, isLease: true })
      return this.#isHeld
    }
    const { io, turns, member } = this.#options
    await io.wait('state.keep')
    this.#isHeld = this.#isMine
    if (this.#isHeld) Object.assign(turns, { holder: member, heldUntilMs: performance.now() + LEASE_MS })
    return this.#isHeld || (force && this.#lead(true))
  }

  async #take({ force, isLease }: { readonly force: boolean; readonly isLease: boolean }): Promise<boolean> {
    const { io, turns, member } = this.#options
    const after = this.#nextTurn()
    await io.wait('state.turn')
    const isTaken = this.#isMine || force
    if (isTaken) {
      if (isLease) Object.assign(turns, { holder: member, heldUntilMs: performance.now() + LEASE_MS })
      const before = turns.turn
      turns.turn = after
      this.#say({ before, after, keys: [] })
    }
    await io.wait('state.turn done')
    if (isTaken) this.#turn = after
    this.#isTorn = false
    return isTaken
  }

  async #resign(): Promise<void> {
    const { io, turns, member } = this.#options
    this.#isHeld = false
    await io.wait('state.resign')
    if (turns.holder !== member) return
    turns.holder = null
    this.#say({ before: turns.turn, after: turns.turn, keys: [] })
  }

  get #isMine(): boolean {
    const { turns, member } = this.#options
    return turns.holder === null || turns.holder === member || performance.now() >= turns.heldUntilMs
  }

  #nextTurn(): string {
    return `${this.#options.member}/${Math.floor(this.#options.random() * 1e9)}/${++this.#turnCount}`
  }

  #say(message: Message): void {
    for (const watcher of this.#options.turns.watchers) watcher.hear(message)
  }

  #watch(onCommit: (keys: readonly string[] | null) => void): () => void {
    const { io, turns, random } = this.#options
    let last: string | null = turns.turn
    const waiting: Message[] = []
    const hearNext = () => {
      const message = waiting.shift()
      if (message === undefined) return
      if (random() < BREAK_SHARE) {
        // What was on its way is lost with the connection; from the next on it is heard again.
        waiting.length = 0
        last = null
        onCommit(null)
        return
      }
      const isNext = message.before === last
      last = message.after
      onCommit(isNext ? message.keys : null)
    }
    const watcher: Watcher = {
      hear: (message) => {
        waiting.push(message)
        io.later('state.heard', hearNext)
      },
    }
    turns.watchers.add(watcher)
    return () => turns.watchers.delete(watcher)
  }
}
