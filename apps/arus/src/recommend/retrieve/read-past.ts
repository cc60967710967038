import { KeptOn } from '../../kept-on.ts'
import type { HistoryItem } from '../../live/live-state.ts'
import type { FaultReporter } from '../fault-reporter.ts'
import type { LiveReads } from '../levels.ts'
import { NO_PAST, pastOf, type ShopperPast } from './shopper-past.ts'

const NONE: readonly HistoryItem[] = []
const pastsOfShoppers: Pasts = new KeptOn()
const pastsOfSessions: Pasts = new KeptOn()

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
    if (sessionId === null)
      return userId === null ? NO_PAST : once(pastsOfShoppers, await state.history(userId), ofHistory)
    if (userId === null) return once(pastsOfSessions, await state.session(sessionId), ofSession)
    const [history, session] = await Promise.all([state.history(userId), state.session(sessionId)])
    return bothOnce(history, session)
  })
}

type Pasts = KeptOn<readonly HistoryItem[], ShopperPast>

/** Live state gives the same array until the shopper does something: what was made of it then holds still. */
function once(
  pasts: Pasts,
  items: readonly HistoryItem[],
  make: (items: readonly HistoryItem[]) => ShopperPast,
): ShopperPast {
  const known = pasts.get(items)
  if (known !== undefined) return known
  const past = make(items)
  pasts.set(items, past)
  return past
}

/** A shopper's past in the last session it was asked for with. */
const pastsInSessions = new KeptOn<
  readonly HistoryItem[],
  { readonly session: readonly HistoryItem[]; readonly past: ShopperPast }
>()

function bothOnce(history: readonly HistoryItem[], session: readonly HistoryItem[]): ShopperPast {
  const known = pastsInSessions.get(history)
  if (known?.session === session) return known.past
  const past = pastOf(history, session)
  pastsInSessions.set(history, { session, past })
  return past
}

const ofHistory = (history: readonly HistoryItem[]): ShopperPast => pastOf(history, NONE)
const ofSession = (session: readonly HistoryItem[]): ShopperPast => pastOf(NONE, session)
