import type { Snapshot } from '@arus/delta'

/** A stretch without an event this long ends a session, where no setting says otherwise. */
export const SESSION_GAP_MINUTES = 30

const PREFIX = 'arus-session-gap-'

/** The gap by which the sessions of a version of `silver.events` were told apart, minutes. */
export function sessionGapOf({ transactions }: Snapshot): number {
  const stated = [...transactions]
    .filter(([appId]) => appId.startsWith(PREFIX))
    .map(([appId, { version }]) => ({ minutes: Number(appId.slice(PREFIX.length)), version }))
    .sort((a, b) => b.version - a.version)
  return stated[0]?.minutes ?? SESSION_GAP_MINUTES
}

/**
 * Says in the table that its sessions go by this gap from now on; empty where it says so already. A transaction only ever
 * moves on, so each gap is an application of its own, and the one that moved last is in force.
 */
export function statesSessionGap(snapshot: Snapshot, minutes: number) {
  if (sessionGapOf(snapshot) === minutes) return []
  return [{ appId: PREFIX + minutes, version: snapshot.version + 1 }]
}
