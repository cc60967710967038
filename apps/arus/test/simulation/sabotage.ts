import type { StateStore } from '../../src/state/state-store.ts'

/** A store that writes the offset first and what it stands for after: what exactly once forbids. */
export function offsetFirst(store: StateStore): StateStore {
  return {
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    scan: (prefix) => store.scan(prefix),
    clear: (prefix) => store.clear(prefix),
    commit: async (changes) => {
      const offsets = changes.filter(({ key }) => key.startsWith('live/offset/'))
      if (offsets.length > 0) await store.commit(offsets)
      await store.commit(changes.filter((change) => !offsets.includes(change)))
    },
    erase: (matches) => store.erase(matches),
    sizeBytes: () => store.sizeBytes(),
    isHealthy: () => store.isHealthy(),
    close: () => store.close(),
  }
}
