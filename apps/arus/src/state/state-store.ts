/**
 * JSON-like values: what MessagePack and Redis can hold. A field called `__proto__` may come back under another name, so that none
 * becomes a prototype.
 */
export type StateValue = unknown

export interface StateChange {
  readonly key: string
  /** `undefined` removes the key. */
  readonly value: StateValue | undefined
  /**
   * Removed some time after this moment, UTC milliseconds; absent means kept. Values written often should have times of
   * a coarse grid: the same time again costs no more room.
   */
  readonly expiresAtMs?: number
  /** True where the key surely has another such moment so far, or none: spares an adapter a look. */
  readonly isExpiryNew?: boolean
}

/**
 * Key-value store of live state. One `commit` is atomic and durable: a processor writes its output and the log
 * offset it stands for in the same commit, so that each event counts exactly once in effect.
 */
export interface StateStore {
  get(key: string): Promise<StateValue | undefined>
  /** Values in the order of `keys`. */
  getMany(keys: readonly string[]): Promise<(StateValue | undefined)[]>
  /** Every key with the prefix, in no stated order. For start-up and rebuilding, not for requests. */
  scan(prefix: string): AsyncIterable<{ readonly key: string; readonly value: StateValue }>
  /**
   * All or nothing. Later changes to the same key win. Throws `STATE_UNSTORABLE`, before anything is written, for what
   * can never be stored; any other failure may pass.
   */
  commit(changes: readonly StateChange[]): Promise<void>
  /**
   * Removes the keys that match, and whatever was ever removed or replaced before, for good: once this resolves their
   * bytes are on the disk no more. Commits wait meanwhile; reads go on. Costs as much as writing everything once. Returns
   * how many there were.
   */
  erase(matches: (key: string) => boolean): Promise<number>
  /** Removes every key with the prefix (for rebuilding). */
  clear(prefix: string): Promise<void>
  sizeBytes(): Promise<number>
  isHealthy(): Promise<boolean>
  close(): Promise<void>
}
