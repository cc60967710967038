import { ArusError } from '../../src/errors.ts'
import type { StateChange, StateStore, StateValue } from '../../src/state/state-store.ts'
import { AT_ONCE, type Io, written } from './io.ts'

/** Values as JSON, with the moment they may go; 0 for never. */
export type StateContent = Map<string, { readonly json: string; readonly expiresAtMs: number }>

const KEY_BYTES_MAX = 1_900

/** The state store in memory, by the same contract as the one on disk. */
export class MemoryState implements StateStore {
  readonly #content: StateContent
  readonly #now: () => number
  readonly #io: Io
  /** Commits are applied in the order they were asked for. */
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(content: StateContent, now: () => number, io: Io = AT_ONCE) {
    this.#content = content
    this.#now = now
    this.#io = io
  }

  async get(key: string): Promise<StateValue | undefined> {
    const [value] = await this.getMany([key])
    return value
  }

  async getMany(keys: readonly string[]): Promise<(StateValue | undefined)[]> {
    await this.#io.read('state.read')
    return keys.map((key) => this.#valueOf(key))
  }

  async *scan(prefix: string): AsyncIterable<{ readonly key: string; readonly value: StateValue }> {
    await this.#io.read('state.scan')
    for (const key of [...this.#content.keys()].filter((name) => name.startsWith(prefix))) {
      const value = this.#valueOf(key)
      if (value !== undefined) yield { key, value }
    }
  }

  async commit(changes: readonly StateChange[]): Promise<void> {
    const writes = changes.map(encoded)
    const done = this.#last.then(() =>
      written(this.#io, 'state.commit', {
        write: () => {
          for (const { key, stored } of writes) {
            if (stored === null) this.#content.delete(key)
            else this.#content.set(key, stored)
          }
        },
        failure: () => new RangeError('the commit failed'),
      }),
    )
    this.#last = done.catch(() => {})
    await done
  }

  async erase(matches: (key: string) => boolean): Promise<number> {
    const keys = [...this.#content.keys()].filter(matches)
    await this.commit(keys.map((key) => ({ key, value: undefined })))
    return keys.length
  }

  async clear(prefix: string): Promise<void> {
    const keys = [...this.#content.keys()].filter((name) => name.startsWith(prefix))
    await this.commit(keys.map((key) => ({ key, value: undefined })))
  }

  async sizeBytes(): Promise<number> {
    return this.#content.size
  }

  async isHealthy(): Promise<boolean> {
    return !this.#isClosed
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #valueOf(key: string): StateValue | undefined {
    const stored = this.#content.get(key)
    if (stored === undefined || (stored.expiresAtMs > 0 && stored.expiresAtMs <= this.#now()))
      return undefined
    return JSON.parse(stored.json)
  }
}

function encoded({ key, value, expiresAtMs = 0 }: StateChange) {
  if (key.length === 0 || Buffer.byteLength(key) > KEY_BYTES_MAX)
    throw new ArusError('STATE_UNSTORABLE', `no key: ${key.slice(0, 80)}`)
  if (value === undefined) return { key, stored: null }
  try {
    return { key, stored: { json: JSON.stringify(value), expiresAtMs } }
  } catch (error) {
    throw new ArusError('STATE_UNSTORABLE', `no JSON value: ${key}`, { cause: error })
  }
}
