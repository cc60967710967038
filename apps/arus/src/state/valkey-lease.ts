import type { ValkeyConnection } from './valkey-connection.ts'

/** The server counts by its own clock; a process that is silent for so long has lost the lead. */
const LEASE_MS = 5_000

/**
 * KEYS: the turn, the lease. ARGV: the member, its new turn, how long the lease lasts (ms; "0": the turn alone), "1" to take
 * it from another. The turn goes over with the lease, so that nothing of the one before is committed any more.
 */
const TAKE_SCRIPT = `
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] and ARGV[4] ~= '1' then return 0 end
if ARGV[3] ~= '0' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3]) end
local before = redis.call('GET', KEYS[1]) or ''
redis.call('SET', KEYS[1], ARGV[2])
redis.pcall('PUBLISH', KEYS[1], cmsgpack.pack({before, ARGV[2], {}}))
return 1`

/** KEYS: the lease. ARGV: the member, how long it lasts. One that ran out without being missed goes on. */
const KEEP_SCRIPT = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`

/** KEYS: the turn, the lease. ARGV: the member. */
const RESIGN_SCRIPT = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
local turn = redis.call('GET', KEYS[1]) or ''
redis.pcall('PUBLISH', KEYS[1], cmsgpack.pack({turn, turn, {}}))
return 1`

/** Which of several processes leads: a key with the name of one, that vanishes when it is not written again in time. */
export class ValkeyLease {
  readonly renewMs: number = LEASE_MS / 4
  readonly #connection: ValkeyConnection
  readonly #turnKey: string
  readonly #leaseKey: string
  readonly #member: string
  #isHeld = false

  constructor(connection: ValkeyConnection, turnKey: string, member: string) {
    this.#connection = connection
    this.#turnKey = turnKey
    this.#leaseKey = `${turnKey}#lease`
    this.#member = member
  }

  /** As far as is known here. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Takes lease and turn, where no other member has the lease, or by force. */
  async take(turn: string, { force }: { readonly force: boolean }): Promise<boolean> {
    this.#isHeld = await this.#take(turn, LEASE_MS, force)
    return this.#isHeld
  }

  /** Takes the turn alone, where no other member has the lease. */
  async takeTurn(turn: string): Promise<boolean> {
    return this.#take(turn, this.#isHeld ? LEASE_MS : 0, false)
  }

  async keep(): Promise<boolean> {
    this.#isHeld = await this.#isDone(KEEP_SCRIPT, [this.#leaseKey], [this.#member, String(LEASE_MS)])
    return this.#isHeld
  }

  async resign(): Promise<void> {
    this.#isHeld = false
    await this.#isDone(RESIGN_SCRIPT, [this.#turnKey, this.#leaseKey], [this.#member])
  }

  #take(turn: string, leaseMs: number, force: boolean): Promise<boolean> {
    const args = [this.#member, turn, String(leaseMs), force ? '1' : '0']
    return this.#isDone(TAKE_SCRIPT, [this.#turnKey, this.#leaseKey], args)
  }

  async #isDone(script: string, keys: readonly string[], args: readonly string[]): Promise<boolean> {
    return (await this.#connection.send('EVAL', [script, String(keys.length), ...keys, ...args])) === 1
  }
}
