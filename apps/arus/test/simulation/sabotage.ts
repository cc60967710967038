import { BackgroundWork } from '../../src/live/background-work.ts'
import type { StateStore } from '../../src/state/state-store.ts'

/** A store that writes the offset first and what it stands for after: what exactly once forbids. */
export function offsetFirst(store: StateStore): StateStore {
  return {
    ...(store.sharing === undefined ? {} : { sharing: store.sharing }),
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

/** While `work` runs, background work is begun whatever became of the one before. */
export async function withoutLookingBack<T>(work: () => Promise<T>): Promise<T> {
  const { begin, check } = BackgroundWork.prototype
  BackgroundWork.prototype.begin = function (this: BackgroundWork, next) {
    BackgroundWork.prototype.check = () => {}
    try {
      begin.call(this, next)
    } finally {
      BackgroundWork.prototype.check = check
    }
  }
  try {
    return await work()
  } finally {
    BackgroundWork.prototype.begin = begin
  }
}
