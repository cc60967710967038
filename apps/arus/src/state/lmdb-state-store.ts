import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { committed } from '@arus/event-log'
import { type Database, open, type RootDatabase } from 'lmdb'
import { Packr } from 'msgpackr'
import { ArusError } from '../errors.ts'
import { Pacer } from '../pacer.ts'
import { cautiousClock } from './cautious-clock.ts'
import type { StateChange, StateStore, StateValue } from './state-store.ts'

export interface LmdbStateStoreOptions {
  readonly folder: string
  readonly now?: () => number
  /** Counts time whatever the clock is set to, milliseconds. */
  readonly steadyMs?: () => number
}

/** A stored value begins with the moment it may go (f64 big-endian, UTC ms, 0 for never); MessagePack follows. */
const HEADER_BYTES = 8

interface Write {
  readonly key: string
  /** Null removes. */
  readonly bytes: Buffer | null
}

/** The name changes with the form of values. */
const VALUES = 'values-2'
const EARLIER_VALUES = ['values']

const EXPIRY_INTERVAL_MS = 10_000
/** Keys in one list, and so in one step of removing: a step holds up everything else for some milliseconds. */
const EXPIRY_STEP = 1_000
const CLEAR_STEP = 10_000
/** What LMDB holds in a key of 4 KB pages, less what its encoding may add. */
const KEY_BYTES_MAX = 1_900
/** After the last character a key can hold. */
const AFTER_ALL = '\u{10ffff}'

/** Opens (or makes) a state store in a folder. */
export async function openLmdbStateStore(options: LmdbStateStoreOptions): Promise<LmdbStateStore> {
  return new LmdbStateStore(options)
}

/** Live state in LMDB: a commit is one transaction that ends with the sync to disk. */
export class LmdbStateStore implements StateStore {
  readonly #root: RootDatabase<unknown, string>
  readonly #values: Database<Buffer, string>
  /** Keys written with the same expiry in one commit; by that time, then writer and its count of such lists. */
  readonly #expiries: Database<readonly string[], [number, string, number]>
  readonly #writer = randomUUID()
  #expiryLists = 0
  readonly #packr = new Packr({ useRecords: false })
  /** What is past its time goes by this clock, so that a clock set wrong for a while removes nothing. */
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #isClosed = false

  constructor({ folder, now = Date.now, steadyMs }: LmdbStateStoreOptions) {
    mkdirSync(folder, { recursive: true })
    this.#root = open({
      path: folder,
      maxDbs: 4,
      overlappingSync: false,
      eventTurnBatching: false,
    })
    this.#dropEarlierForm()
    this.#values = this.#root.openDB({ name: VALUES, encoding: 'binary' })
    this.#expiries = this.#root.openDB({ name: 'expiry-lists' })
    this.#now = cautiousClock({ now, steadyMs })
    this.#timer = setInterval(() => {
      // What could not be removed now is past its time in ten seconds too.
      this.expire().catch(() => {})
    }, EXPIRY_INTERVAL_MS)
    this.#timer.unref()
  }

  async get(key: string): Promise<StateValue | undefined> {
    return this.#read(key)
  }

  async getMany(keys: readonly string[]): Promise<(StateValue | undefined)[]> {
    return keys.map((key) => this.#read(key))
  }

  async *scan(prefix: string): AsyncIterable<{ readonly key: string; readonly value: StateValue }> {
    const nowMs = this.#now()
    for (const { key, value } of this.#values.getRange({ start: prefix, end: prefix + AFTER_ALL })) {
      if (!isPast(value, nowMs)) yield { key, value: this.#unpacked(value) }
    }
  }

  async commit(changes: readonly StateChange[]): Promise<void> {
    if (changes.length === 0) return
    // All that can fail fails before the first write: a batch that has begun is written as far as it came.
    const pacer = new Pacer()
    const writes: Write[] = []
    const unlisted: StateChange[] = []
    for (const change of changes) {
      writes.push(this.#encoded(change))
      if (!this.#isListed(change)) unlisted.push(change)
      if (pacer.isDue()) await pacer.pause()
    }
    const expiring = keysByExpiry(unlisted)
    const batch = this.#root.batch(() => {
      for (const { key, bytes } of writes) {
        if (bytes === null) void this.#values.remove(key)
        else void this.#values.put(key, bytes)
      }
      for (const [expiresAtMs, keys] of expiring)
        void this.#expiries.put([expiresAtMs, this.#writer, this.#expiryLists++], keys)
    })
    await committed(batch)
  }

  #encoded({ key, value, expiresAtMs = 0 }: StateChange): Write {
    if (Buffer.byteLength(key) > KEY_BYTES_MAX || key.length === 0) {
      throw new ArusError(
        'STATE_UNSTORABLE',
        `a key of the state store has 1 to ${KEY_BYTES_MAX} bytes, found ${Buffer.byteLength(key)}: ${key.slice(0, 80)}`,
      )
    }
    return { key, bytes: value === undefined ? null : this.#packed(key, value, expiresAtMs) }
  }

  #packed(key: string, value: StateValue, expiresAtMs: number): Buffer {
    try {
      const packed = this.#packr.pack(value)
      const bytes = Buffer.allocUnsafe(HEADER_BYTES + packed.length)
      bytes.writeDoubleBE(expiresAtMs, 0)
      packed.copy(bytes, HEADER_BYTES)
      return bytes
    } catch (error) {
      throw new ArusError('STATE_UNSTORABLE', `the value of ${key.slice(0, 80)} is no JSON value`, {
        cause: error,
      })
    }
  }

  /** Written again with the time it already had: its list stands. Values often written would fill the disk with lists. */
  #isListed({ key, expiresAtMs = 0 }: StateChange): boolean {
    return expiresAtMs > 0 && this.#expiryOf(key) === expiresAtMs
  }

  /** What an earlier version stored is made again from the log. */
  #dropEarlierForm(): void {
    const names = [...this.#root.getKeys()].filter((name) => EARLIER_VALUES.includes(name))
    for (const name of names) this.#root.openDB({ name, encoding: 'binary' }).dropSync()
  }

  async clear(prefix: string): Promise<void> {
    for (;;) {
      const keys = [...this.#values.getKeys({ start: prefix, end: prefix + AFTER_ALL, limit: CLEAR_STEP })]
      if (keys.length === 0) return
      await this.commit(keys.map((key) => ({ key, value: undefined })))
    }
  }

  async sizeBytes(): Promise<number> {
    const stats = this.#values.getStats() as {
      pageSize?: number
      treeLeafPageCount?: number
      overflowPages?: number
    }
    return (stats.pageSize ?? 0) * ((stats.treeLeafPageCount ?? 0) + (stats.overflowPages ?? 0))
  }

  /** Lists of keys that wait for their time. */
  async expiryListCount(): Promise<number> {
    return this.#expiries.getCount()
  }

  async isHealthy(): Promise<boolean> {
    if (this.#isClosed) return false
    try {
      this.#values.get('health')
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#root.close()
  }

  /** Removes all values past their time, in steps that let others in between. Called by itself every 10 s. */
  async expire(): Promise<void> {
    const nowMs = this.#now()
    while (!this.#isClosed && (await this.#expireStep(nowMs))) await setImmediate()
  }

  /** Removes one list of keys; false when there is none left. */
  #expireStep(nowMs: number): Promise<boolean> {
    const step = this.#root.transaction(() => {
      for (const { key, value } of this.#expiries.getRange({ end: [nowMs, AFTER_ALL, 0], limit: 1 })) {
        for (const name of value) this.#removeIfPast(name, nowMs)
        void this.#expiries.remove(key)
        return true
      }
      return false
    })
    return committed(step)
  }

  /** A value written again since it was listed has an expiry of its own. */
  #removeIfPast(key: string, nowMs: number): void {
    const expiresAtMs = this.#expiryOf(key) ?? 0
    if (expiresAtMs > 0 && expiresAtMs <= nowMs) void this.#values.remove(key)
  }

  #read(key: string): StateValue | undefined {
    if (key.length * 3 > KEY_BYTES_MAX && Buffer.byteLength(key) > KEY_BYTES_MAX) return undefined
    const bytes = this.#values.get(key)
    return bytes === undefined || isPast(bytes, this.#now()) ? undefined : this.#unpacked(bytes)
  }

  #unpacked(bytes: Buffer): StateValue {
    return this.#packr.unpack(bytes.subarray(HEADER_BYTES))
  }

  /** Without a copy of the value, which may be long: asked for everything that is written. */
  #expiryOf(key: string): number | undefined {
    return this.#values.getBinaryFast(key)?.readDoubleBE(0)
  }
}

function isPast(bytes: Buffer, nowMs: number): boolean {
  const expiresAtMs = bytes.readDoubleBE(0)
  return expiresAtMs > 0 && expiresAtMs <= nowMs
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
