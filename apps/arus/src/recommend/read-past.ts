import type { HistoryItem } from '../live/live-state.ts'
import type { FaultReporter } from './fault-reporter.ts'
import type { LiveReads } from './levels.ts'
import { NO_PAST, pastOf, type ShopperPast } from './shopper-past.ts'

const NONE: readonly HistoryItem[] = []
/** Live state gives the same array until the shopper does something: what was made of it then holds still. */
const pasts = new WeakMap<readonly HistoryItem[], ShopperPast>()

/** The past of a shopper, a session, or both, from live state; of somebody who did nothing when it cannot be read. */
export async function readPast(
  live: () => LiveReads | null,
  of: { readonly userId: string | null; readonly sessionId: string | null },
  faults: FaultReporter,
): Promise<ShopperPast> {
  return faults.attemptAsync('live state', NO_PAST, async () => {
    const { userId, sessionId } = of
    const state = live()
    if (state === null) return NO_PAST
    if (sessionId === null) return userId === null ? NO_PAST : pastOfHistory(await state.history(userId))
    const [history, session] = await Promise.all([
      userId === null ? NONE : state.history(userId),
      state.session(sessionId),
    ])
    return pastOf(history, session)
  })
}

function pastOfHistory(history: readonly HistoryItem[]): ShopperPast {
  const known = pasts.get(history)
  if (known !== undefined) return known
  const past = pastOf(history, NONE)
  pasts.set(history, past)
  return past
}
