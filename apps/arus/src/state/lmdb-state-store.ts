import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { committed } from '@arus/event-log'
import { BoundedCache } from '../bounded-cache.ts'
import { Pacer } from '../pacer.ts'
import { cautiousClock } from './cautious-clock.ts'
import { copyTables, type LmdbTables, openTables, swapTables } from './lmdb-tables.ts'
import { expiryOf, isKey, isPast, StateCodec } from './state-codec.ts'
import type { StateChange, StateStore, StateValue } from './state-store.ts'

export interface LmdbStateStoreOptions {
  readonly folder: string
  readonly now?: () => number
  /** Counts time whatever the clock is set to, milliseconds. */
  readonly steadyMs?: () => number
}

interface Write {
  readonly key: string
  /** Null removes. */
  readonly bytes: Buffer | null
}

interface Encoded {
  readonly writes: readonly Write[]
  readonly expiring: ReturnType<typeof keysByExpiry>
  /** What is in no list of keys so far. */
  readonly unlisted: readonly StateChange[]
}

const EXPIRY_INTERVAL_MS = 10_000
/** Keys in one list, and so in one step of removing: a step holds up everything else for some milliseconds. */
const EXPIRY_STEP = 1_000
const CLEAR_STEP = 10_000
const LISTED_KEYS = 50_000
/** After the last character a key can hold. */
const AFTER_ALL = '\u{10ffff}'

/** Opens (or makes) a state store in a folder. */
export async function openLmdbStateStore(options: LmdbStateStoreOptions): Promise<LmdbStateStore> {
  return new LmdbStateStore(options)
}

/** Live state in LMDB: a commit is one transaction that ends with the sync to disk. */
export class LmdbStateStore implements StateStore {
  readonly #folder: string
  #tables: LmdbTables
  /** Erasing, while nothing may be written; its last moment, while nothing may be read. */
  #erasing: Promise<unknown> = Promise.resolve()
  #swapping: Promise<void> | null = null
  /** Ends when the last commit that was asked for has been handed to LMDB. */
  #encoding: Promise<unknown> = Promise.resolve()
  /** Scans and writes under way, which the tables must outlive. */
  readonly #atWork = new Set<Promise<unknown>>()
  readonly #writer = randomUUID()
  #expiryLists = 0
  /** Keys that stand in a list for this moment, lately written: spares a look at the value. */
  readonly #listed = new BoundedCache<string, number>(LISTED_KEYS)
  readonly #codec = new StateCodec()
  /** What is past its time goes by this clock, so that a clock set wrong for a while removes nothing. */
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #isClosed = false

  constructor({ folder, now = Date.now, steadyMs }: LmdbStateStoreOptions) {
    this.#folder = folder
    this.#tables = openTables(folder)
    this.#now = cautiousClock({ now, steadyMs })
    this.#timer = setInterval(() => {
      // What could not be removed now is past its time in ten seconds too.
      this.expire().catch(() => {})
    }, EXPIRY_INTERVAL_MS)
    this.#timer.unref()
  }

  async get(key: string): Promise<StateValue | undefined> {
    if (this.#swapping !== null) await this.#swapping
    return this.#read(key)
  }

  async getMany(keys: readonly string[]): Promise<(StateValue | undefined)[]> {
    if (this.#swapping !== null) await this.#swapping
    return keys.map((key) => this.#read(key))
  }

  async *scan(prefix: string): AsyncIterable<{ readonly key: string; readonly value: StateValue }> {
    if (this.#swapping !== null) await this.#swapping
    const nowMs = this.#now()
    const scanning = Promise.withResolvers<void>()
    this.#isAtWork(scanning.promise)
    try {
      for (const { key, value } of this.#tables.values.getRange({ start: prefix, end: prefix + AFTER_ALL }))
        if (!isPast(value, nowMs)) yield { key, value: this.#codec.decode(value) }
    } finally {
      scanning.resolve()
    }
  }

  async commit(changes: readonly StateChange[]): Promise<void> {
    if (changes.length === 0) return
    await this.#erasing
    await this.#isAtWork(this.#inOrder(() => this.#encoded(changes)))
  }

  /** Encodes one commit at a time, since that pauses: a small one would overtake. They are written together all the same. */
  async #inOrder(encode: () => Promise<Encoded>): Promise<void> {
    const encoding = this.#encoding.then(encode)
    const written = encoding.then((encoded) => ({ encoded, write: this.#write(encoded) }))
    this.#encoding = written.catch(() => {})
    const { encoded, write } = await written
    await committed(write)
    for (const { key, expiresAtMs = 0, isExpiryNew = false } of encoded.unlisted)
      if (expiresAtMs > 0 && !isExpiryNew) this.#listed.set(key, expiresAtMs)
  }

  /** All that can fail fails here, before the first write: a batch that has begun is written as far as it came. */
  async #encoded(changes: readonly StateChange[]): Promise<Encoded> {
    const pacer = new Pacer()
    const writes: Write[] = []
    const unlisted: StateChange[] = []
    for (const change of changes) {
      writes.push({ key: change.key, bytes: this.#codec.encode(change) })
      if (!this.#isListed(change)) unlisted.push(change)
      if (pacer.isDue()) await pacer.pause()
    }
    return { writes, expiring: keysByExpiry(unlisted), unlisted }
  }

  #write({ writes, expiring }: Encoded): Promise<unknown> {
    const { root, values, expiries } = this.#tables
    return root.batch(() => {
      for (const { key, bytes } of writes) {
        if (bytes === null) void values.remove(key)
        else void values.put(key, bytes)
      }
      for (const [expiresAtMs, keys] of expiring)
        void expiries.put([expiresAtMs, this.#writer, this.#expiryLists++], keys)
    })
  }

  erase(matches: (key: string) => boolean): Promise<number> {
    const erased = this.#erasing.then(() => this.#erase(matches))
    this.#erasing = erased.catch(() => {})
    return erased
  }

  async #erase(matches: (key: string) => boolean): Promise<number> {
    await this.#workDone()
    this.#listed.clear()
    const count = await copyTables(this.#tables, this.#folder, (key) => !matches(key))
    const swapped = Promise.withResolvers<void>()
    this.#swapping = swapped.promise
    try {
      await this.#workDone()
      await this.#tables.root.close()
      await swapTables(this.#folder)
    } finally {
      this.#tables = openTables(this.#folder)
      this.#swapping = null
      swapped.resolve()
    }
    return count
  }

  #isAtWork<T>(work: Promise<T>): Promise<T> {
    this.#atWork.add(work)
    const done = () => void this.#atWork.delete(work)
    work.then(done, done)
    return work
  }

  async #workDone(): Promise<void> {
    while (this.#atWork.size > 0) await Promise.allSettled(this.#atWork)
  }

  /** Written again with the time it already had: its list stands. Values often written would fill the disk with lists. */
  #isListed({ key, expiresAtMs = 0, isExpiryNew = false }: StateChange): boolean {
    if (expiresAtMs <= 0 || isExpiryNew) return false
    if (this.#listed.get(key) === expiresAtMs) return true
    const isListed = this.#expiryOf(key) === expiresAtMs
    if (isListed) this.#listed.set(key, expiresAtMs)
    return isListed
  }

  async clear(prefix: string): Promise<void> {
    for (;;) {
      await this.#erasing
      const keys = [
        ...this.#tables.values.getKeys({ start: prefix, end: prefix + AFTER_ALL, limit: CLEAR_STEP }),
      ]
      if (keys.length === 0) return
      await this.commit(keys.map((key) => ({ key, value: undefined })))
    }
  }

  async sizeBytes(): Promise<number> {
    const stats = this.#tables.values.getStats() as {
      pageSize?: number
      treeLeafPageCount?: number
      overflowPages?: number
    }
    return (stats.pageSize ?? 0) * ((stats.treeLeafPageCount ?? 0) + (stats.overflowPages ?? 0))
  }

  /** Lists of keys that wait for their time. */
  async expiryListCount(): Promise<number> {
    return this.#tables.expiries.getCount()
  }

  async isHealthy(): Promise<boolean> {
    if (this.#isClosed) return false
    if (this.#swapping !== null) await this.#swapping
    try {
      this.#tables.values.get('health')
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#erasing
    await this.#workDone()
    await this.#tables.root.close()
  }

  /** Removes all values past their time, in steps that let others in between. Called by itself every 10 s. */
  async expire(): Promise<void> {
    const nowMs = this.#now()
    while (!this.#isClosed && (await this.#expireStep(nowMs))) await setImmediate()
  }

  /** Removes one list of keys; false when there is none left. */
  async #expireStep(nowMs: number): Promise<boolean> {
    await this.#erasing
    const { root, expiries } = this.#tables
    this.#listed.clear()
    const step = root.transaction(() => {
      for (const { key, value } of expiries.getRange({ end: [nowMs, AFTER_ALL, 0], limit: 1 })) {
        for (const name of value) this.#removeIfPast(name, nowMs)
        void expiries.remove(key)
        return true
      }
      return false
    })
    return this.#isAtWork(committed(step))
  }

  /** A value written again since it was listed has an expiry of its own. */
  #removeIfPast(key: string, nowMs: number): void {
    const expiresAtMs = this.#expiryOf(key) ?? 0
    if (expiresAtMs > 0 && expiresAtMs <= nowMs) void this.#tables.values.remove(key)
  }

  #read(key: string): StateValue | undefined {
    if (!isKey(key)) return undefined
    const bytes = this.#tables.values.get(key)
    return bytes === undefined || isPast(bytes, this.#now()) ? undefined : this.#codec.decode(bytes)
  }

  /** Without a copy of the value, which may be long: asked for everything that is written. */
  #expiryOf(key: string): number | undefined {
    const bytes = this.#tables.values.getBinaryFast(key)
    return bytes === undefined ? undefined : expiryOf(bytes)
  }
}

/** Lists of keys with the same expiry, at most as long as a step. */
function keysByExpiry(changes: readonly StateChange[]): [expiresAtMs: number, keys: string[]][] {
  const lists: [number, string[]][] = []
  const open = new Map<number, string[]>()
  for (const { key, value, expiresAtMs = 0 } of changes) {
    if (value === undefined || expiresAtMs <= 0) continue
    const known = open.get(expiresAtMs)
    if (known !== undefined && known.length < EXPIRY_STEP) {
      known.push(key)
      continue
    }
    const list = [key]
    open.set(expiresAtMs, list)
    lists.push([expiresAtMs, list])
  }
  return lists
}
