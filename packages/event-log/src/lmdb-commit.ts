import { setTimeout as sleep } from 'node:timers/promises'

/** What lmdb takes to tell why a commit failed, at most. */
const REASON_MS_MAX = 1_000

/**
 * The result of a write of lmdb; throws what the commit failed from. lmdb rejects with an error that holds the reason as another
 * promise: unless somebody waits for that one too, the process ends. Open with `eventTurnBatching: false`, or lmdb makes
 * promises of its own that nobody can wait for.
 */
export async function committed<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    throw await reasonOf(error)
  }
}

async function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error
  const reason = Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  )
  return Promise.race([reason, sleep(REASON_MS_MAX, error, { ref: false })])
}
