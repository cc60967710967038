const PREFIX = 'arus.'

/** Texts by name, shared by all pages of the origin while the browser's storage works, in this page's memory otherwise. */
export interface Store {
  get(name: string): string | null
  /** `null` removes. */
  set(name: string, text: string | null): void
  /** Names that begin so, in order. */
  names(start: string): string[]
}

/**
 * Opens the storage anew for each access: reaching for it may itself throw where it is blocked, and it may be full. A text
 * it does not take stays in memory.
 */
export function openStore(storage: () => Storage): Store {
  const memory = new Map<string, string>()
  const tried = <T>(work: (stored: Storage) => T): T | undefined => {
    try {
      return work(storage())
    } catch {
      return undefined
    }
  }
  return {
    get: (name) => memory.get(name) ?? tried((stored) => stored.getItem(PREFIX + name)) ?? null,
    set(name, text) {
      memory.delete(name)
      if (text === null) tried((stored) => stored.removeItem(PREFIX + name))
      else if (!tried((stored) => [stored.setItem(PREFIX + name, text)])) memory.set(name, text)
    },
    names(start) {
      const stored = tried((stored) => Array.from({ length: stored.length }, (_, i) => stored.key(i) ?? ''))
      const names = (stored ?? [])
        .filter((key) => key.startsWith(PREFIX))
        .map((key) => key.slice(PREFIX.length))
      return [...new Set([...memory.keys(), ...names])].filter((name) => name.startsWith(start)).sort()
    },
  }
}
