import { randomUUID } from 'node:crypto'
import type { StateStore } from './state-store.ts'

/** A state store for one test, empty at first: LMDB in a folder, or Valkey at `ARUS_TEST_REDIS_URL` where that is set. */
export async function openTestState(
  folder: string,
  clock: { readonly now: () => number; readonly steadyMs?: () => number },
): Promise<StateStore> {
  const url = process.env.ARUS_TEST_REDIS_URL
  if (url === undefined) {
    const { openLmdbStateStore } = await import('./lmdb-state-store.ts')
    return openLmdbStateStore({ folder, ...clock })
  }
  const { openValkeyStateStore } = await import('./valkey-state-store.ts')
  return openValkeyStateStore({ url, shop: randomUUID(), ...clock })
}
