import { randomUUID } from 'node:crypto'
import { ArusError } from '../errors.ts'
import { Pacer } from '../pacer.ts'
import { cautiousClock } from './cautious-clock.ts'
import { isPast, StateCodec } from './state-codec.ts'
import type { StateChange, StateSharing, StateStore, StateValue } from './state-store.ts'
import { ValkeyConnection } from './valkey-connection.ts'
import { removeRemains } from './valkey-erasure.ts'
import { ValkeyLease } from './valkey-lease.ts'
import { checkServer, infoOf, type ServerCheck } from './valkey-server-check.ts'
import { watchCommits } from './valkey-watch.ts'

export interface ValkeyStateStoreOptions {
  /** `redis://user:password@host:port/database`, or `rediss:` for TLS. */
  readonly url: string
  /** Prefixes every key, so that several shops share a server without seeing each other. */
  readonly shop: string
  /**
   * Name of this process among those that share the store, the same after a restart: what it led before its end it leads
   * again at once. Default: one of its own each time.
   */
  readonly member?: string
  readonly now?: () => number
  /** Counts time whatever the clock is set to, milliseconds. */
  readonly steadyMs?: () => number
  /** Told what could not be made sure of. */
  readonly onWarning?: (message: string) => void
}

/**
 * All of a commit or nothing: only where the store stands as its writer left it. KEYS: the turn, then the keys. ARGV: the
 * turn as it must be and as it becomes, then for each key its life (ms, "0" for ever, "-" to remove) and its value.
 * The turn is written first: that is what fails where memory is full. Whoever follows hears which keys it was,
 * where the user has that right.
 */
const COMMIT_SCRIPT = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
for i = 2, #KEYS do
  local life = ARGV[2 * i - 1]
  if life == '-' then redis.call('DEL', KEYS[i])
  elseif life == '0' then redis.call('SET', KEYS[i], ARGV[2 * i])
  else redis.call('SET', KEYS[i], ARGV[2 * i], 'PX', life) end
end
local heard = redis.pcall('PUBLISH', KEYS[1], cmsgpack.pack({ARGV[1], ARGV[2], KEYS}))
if type(heard) ~= 'number' then heard = 0 end
return 1 + heard`

/** What stands for the life of a change that removes, and of one without an end. */
const REMOVED = '-'
const KEPT = '0'
/** Values in one MGET, and keys in one step of SCAN: each holds up everything else. */
const READ_STEP = 1_000
/** A command of Redis 6.2 has at most 1,048,576 words; three for each change. */
const CHANGES_MAX = 300_000
const SYNC_TIMEOUT_MS = 10_000
/** The server counts a value's life by its own clock, and removes it somewhat late; it is not read after its time anyway. */
const LIFE_SLACK_MS = 600_000

/** Connects to Valkey or Redis. Throws `ENGINE_UNREACHABLE`, `ENGINE_UNUSABLE`. */
export async function openValkeyStateStore(options: ValkeyStateStoreOptions): Promise<ValkeyStateStore> {
  const writer = await ValkeyConnection.open(options.url)
  try {
    const check = await checkServer(writer)
    if (check.warning !== null) options.onWarning?.(check.warning)
    const turn = await writer.send('GET', [turnKeyOf(options.shop)])
    const reader = await ValkeyConnection.open(options.url)
    return new ValkeyStateStore(options, { writer, reader, check, turn: turn === null ? '' : String(turn) })
  } catch (error) {
    writer.close()
    throw error
  }
}

interface Opened {
  readonly writer: ValkeyConnection
  /** Of its own: a commit that waits for the disk would hold up reads. */
  readonly reader: ValkeyConnection
  readonly check: ServerCheck
  /** The one that stood in the store before anything else was read. */
  readonly turn: string
}

/**
 * Live state in Valkey or Redis. A commit is one script, and done once it is on the server's disk.
 *
 * Every commit leaves a name in the store, its turn, and must find there that of the commit before. So it is refused
 * (`STATE_MOVED`) when the store went back behind it, as after a failover that lost the last writes, and when somebody else
 * has written. After a commit that failed, maybe only its reply, a turn is put there before anything is read: then one that
 * is still on its way finds that and does not take place any more, and whoever reads sees how far the store is. No turn is taken
 * from a process that leads.
 */
export class ValkeyStateStore implements StateStore {
  readonly sharing: StateSharing
  readonly #writer: ValkeyConnection
  readonly #reader: ValkeyConnection
  readonly #prefix: string
  readonly #turnKey: string
  readonly #codec = new StateCodec()
  readonly #lease: ValkeyLease
  #followerCount = 0
  /** What is past its time goes by this clock, so that a clock set wrong for a while hides nothing. */
  readonly #now: () => number
  readonly #name: string = randomUUID()
  #turnCount = 0
  /** That of the last commit sent. */
  #turn: string
  /** A commit failed, and no new turn was taken since. */
  #isTorn = false
  #takingTurn: Promise<void> | null = null
  /** Null after a reconnect: the server may be another. */
  #check: ServerCheck | null
  /** Ends when the last commit that was asked for has been sent. */
  #sending: Promise<unknown> = Promise.resolve()
  readonly #atWork = new Set<Promise<unknown>>()
  #isClosed = false

  constructor(
    { url, shop, member = randomUUID(), now = Date.now, steadyMs }: ValkeyStateStoreOptions,
    opened: Opened,
  ) {
    this.#writer = opened.writer
    this.#reader = opened.reader
    this.#check = opened.check
    this.#turn = opened.turn
    this.#turnKey = turnKeyOf(shop)
    this.#prefix = `${this.#turnKey}:`
    this.#now = cautiousClock({ now, steadyMs })
    this.#writer.onReconnect(() => {
      this.#check = null
    })
    this.#lease = new ValkeyLease(this.#writer, this.#turnKey, member)
    const followerCount = () => this.#followerCount
    this.sharing = {
      renewMs: this.#lease.renewMs,
      get followerCount() {
        return followerCount()
      },
      lead: ({ force = false } = {}) => this.#lead(force),
      resign: () => this.#lease.resign(),
      watch: (onCommit) =>
        watchCommits(
          { url, channel: this.#turnKey, turn: () => this.#reader.send('GET', [this.#turnKey]) },
          (names) => onCommit(names?.map((name) => name.slice(this.#prefix.length)) ?? null),
        ),
    }
  }

  async get(key: string): Promise<StateValue | undefined> {
    return (await this.getMany([key]))[0]
  }

  async getMany(keys: readonly string[]): Promise<(StateValue | undefined)[]> {
    await this.#settle()
    const steps = Array.from({ length: Math.ceil(keys.length / READ_STEP) }, (_, i) =>
      this.#read(keys.slice(i * READ_STEP, (i + 1) * READ_STEP)),
    )
    return (await Promise.all(steps)).flat()
  }

  async *scan(prefix: string): AsyncIterable<{ readonly key: string; readonly value: StateValue }> {
    await this.#settle()
    for await (const keys of this.#keysWith(prefix)) {
      const values = await this.#read(keys)
      for (const [i, key] of keys.entries()) if (values[i] !== undefined) yield { key, value: values[i] }
    }
  }

  async commit(changes: readonly StateChange[]): Promise<void> {
    if (changes.length === 0) return
    const sent = this.#sending.then(() => this.#send(changes))
    this.#sending = sent.catch(() => {})
    await this.#isAtWork(sent.then(({ done }) => done))
  }

  async erase(matches: (key: string) => boolean): Promise<number> {
    while (this.#atWork.size > 0) await Promise.allSettled(this.#atWork)
    const count = await this.#remove('', matches)
    await removeRemains(this.#reader)
    return count
  }

  async clear(prefix: string): Promise<void> {
    await this.#remove(prefix, () => true)
  }

  /** Of the whole server, with what others keep there. */
  async sizeBytes(): Promise<number> {
    return Number((await infoOf(this.#reader)).get('used_memory') ?? 0)
  }

  async isHealthy(): Promise<boolean> {
    if (this.#isClosed || !this.#writer.isReady) return false
    return this.#reader.send('PING').then(
      () => true,
      () => false,
    )
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    while (this.#atWork.size > 0) await Promise.allSettled(this.#atWork)
    this.#writer.close()
    this.#reader.close()
  }

  /** All that can fail by itself fails before anything is sent. Resolves when the next commit may be sent after this one. */
  async #send(changes: readonly StateChange[]): Promise<{ readonly done: Promise<void> }> {
    const encoded = await this.#encoded(changes)
    await this.#settle()
    this.#check ??= await checkServer(this.#writer)
    return { done: this.#apply(encoded, this.#check) }
  }

  async #encoded(changes: readonly StateChange[]): Promise<{ keys: string[]; args: (string | Buffer)[] }> {
    if (changes.length > CHANGES_MAX)
      throw new ArusError(
        'STATE_UNSTORABLE',
        `a commit has ${CHANGES_MAX} changes at most, found ${changes.length}`,
      )
    const pacer = new Pacer()
    const keys: string[] = []
    const args: (string | Buffer)[] = []
    for (const change of changes) {
      const bytes = this.#codec.encode(change)
      keys.push(this.#prefix + change.key)
      if (bytes === null) args.push(REMOVED, '')
      else args.push(this.#lifeOf(change), bytes)
      if (pacer.isDue()) await pacer.pause()
    }
    return { keys, args }
  }

  async #apply(
    { keys, args }: { keys: string[]; args: (string | Buffer)[] },
    check: ServerCheck,
  ): Promise<void> {
    const before = this.#turn
    this.#turn = this.#nextTurn()
    const head: (string | Buffer)[] = [COMMIT_SCRIPT, String(1 + keys.length), this.#turnKey]
    const command = head.concat(keys, before, this.#turn, args)
    try {
      const [applied, synced] = await Promise.all([
        this.#writer.send('EVAL', command),
        check.hasWaitAof ? this.#writer.send('WAITAOF', ['1', '0', String(SYNC_TIMEOUT_MS)]) : [1],
      ])
      if (Number(applied) < 1)
        throw new ArusError(
          'STATE_MOVED',
          'Live state is not as it was left: it went back, or others have written',
        )
      if (Number((synced as unknown[])[0]) < 1)
        throw new ArusError('ENGINE_UNREACHABLE', `Valkey did not sync within ${SYNC_TIMEOUT_MS / 1000} s`)
      this.#followerCount = Number(applied) - 1
    } catch (error) {
      this.#isTorn = true
      throw error
    }
  }

  /** After a commit that failed: makes sure that it has taken place by now, or never will. */
  async #settle(): Promise<void> {
    if (!this.#isTorn) return
    this.#takingTurn ??= this.#takeTurn().finally(() => {
      this.#takingTurn = null
    })
    await this.#takingTurn
  }

  async #lead(force: boolean): Promise<boolean> {
    if (this.#lease.isHeld && !this.#isTorn) {
      const isKept = await this.#lease.keep()
      if (isKept || !force) return isKept
    }
    const turn = this.#nextTurn()
    const isTaken = await this.#lease.take(turn, { force })
    if (isTaken) this.#turn = turn
    this.#isTorn = false
    return isTaken
  }

  /** Where another leads it has done that already: what was under way will not take place, nor any other commit. */
  async #takeTurn(): Promise<void> {
    const turn = this.#nextTurn()
    if (await this.#lease.takeTurn(turn)) this.#turn = turn
    this.#isTorn = false
  }

  #nextTurn(): string {
    return `${this.#name}/${++this.#turnCount}`
  }

  #lifeOf({ expiresAtMs = 0 }: StateChange): string {
    if (expiresAtMs <= 0) return KEPT
    return String(Math.max(0, Math.ceil(expiresAtMs - this.#now())) + LIFE_SLACK_MS)
  }

  async #read(keys: readonly string[]): Promise<(StateValue | undefined)[]> {
    const names = keys.map((key) => this.#prefix + key)
    const found = (await this.#reader.sendForBytes('MGET', names)) as (Buffer | null)[]
    const nowMs = this.#now()
    return found.map((bytes) =>
      bytes === null || isPast(bytes, nowMs) ? undefined : this.#codec.decode(bytes),
    )
  }

  /** In steps; each key once, which SCAN alone does not promise. */
  async *#keysWith(prefix: string): AsyncIterable<string[]> {
    const pattern = `${this.#prefix + prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`
    const known = new Set<string>()
    let cursor = '0'
    do {
      const reply = await this.#reader.send('SCAN', [cursor, 'MATCH', pattern, 'COUNT', String(READ_STEP)])
      const [next, names] = reply as [string, string[]]
      const fresh = names.map((name) => name.slice(this.#prefix.length)).filter((key) => !known.has(key))
      for (const key of fresh) known.add(key)
      if (fresh.length > 0) yield [...new Set(fresh)]
      cursor = next
    } while (cursor !== '0')
  }

  async #remove(prefix: string, matches: (key: string) => boolean): Promise<number> {
    await this.#settle()
    let count = 0
    for await (const keys of this.#keysWith(prefix)) {
      const removed = keys.filter(matches)
      count += removed.length
      await this.commit(removed.map((key) => ({ key, value: undefined })))
    }
    return count
  }

  #isAtWork<T>(work: Promise<T>): Promise<T> {
    this.#atWork.add(work)
    const done = () => void this.#atWork.delete(work)
    work.then(done, done)
    return work
  }
}

function turnKeyOf(shop: string): string {
  // In braces: where a cluster shares keys out, those of a shop stay together.
  return `arus:{${shop}}`
}
