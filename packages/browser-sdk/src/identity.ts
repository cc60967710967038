import { newId } from './new-id.ts'
import type { Store } from './store.ts'

/** A session ends after this much silence. */
const SESSION_GAP_MS = 30 * 60_000

/** Who events belong to. */
export interface Identity {
  /** The fields every event carries, as they are now; being asked counts as activity of the session. */
  fields(): { anonymous_id: string; session_id: string; user_id?: string | undefined }
  user(): string | null
  setUser(user: string): void
  reset(): void
}

/** Reads the store each time, so that pages that are open together agree. */
export function openIdentity(store: Store, now: () => number): Identity {
  const user = () => store.get('user')
  return {
    fields() {
      const nowMs = now()
      const anonymous_id = store.get('id') ?? newId(nowMs)
      const [known, lastMs] = (store.get('session') ?? '').split(' ')
      const session_id = known && nowMs - Number(lastMs) <= SESSION_GAP_MS ? known : newId(nowMs)
      store.set('id', anonymous_id)
      store.set('session', `${session_id} ${nowMs}`)
      return { anonymous_id, session_id, user_id: user() ?? undefined }
    },
    user,
    setUser: (name) => store.set('user', name),
    reset: () => {
      for (const name of ['id', 'session', 'user']) store.set(name, null)
    },
  }
}
