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
 * How several processes share one store: one of them leads and alone commits, the others follow and read. Which one leads is
 * settled by a lease, so that another takes over from one that is gone.
 */
export interface StateSharing {
  /** Whoever leads asks again at least so often, milliseconds; a quarter of what the lease lasts. */
  readonly renewMs: number
  /** Others who heard of this process's last commit. */
  readonly followerCount: number
  /**
   * Takes the lead where nobody else has it, or keeps it; with `force` takes it from whoever has it. False: another has it.
   * Once this is true, no commit of another takes place any more, also none that was under way.
   */
  lead(options?: { readonly force?: boolean }): Promise<boolean>
  /** Leaves the lead to others, who are told. Nothing happens where another has it. */
  resign(): Promise<void>
  /**
   * Calls back with the keys of each commit from now on; with none when the lead may have become free; with null when some
   * may have been missed. Returns the way to stop.
   */
  watch(onCommit: (keys: readonly string[] | null) => void): Promise<() => void>
}

/**
 * Key-value store of live state. One `commit` is atomic and durable: a processor writes its output and the log
 * offset it stands for in the same commit, so that each event counts exactly once in effect.
 */
export interface StateStore {
  /** Absent where the store belongs to one process. */
  readonly sharing?: StateSharing
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
