import { setPriority } from 'node:os'

/** As that of the processes of SQL. A quarter of a core, at least, where two others want it. */
const NICENESS = 5

/** Lets whoever answers requests go first where there are not cores enough. To be called before other threads are started. */
export function stepBehindRequests(): void {
  setPriority(NICENESS)
}
