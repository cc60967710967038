import { LIVE_PREFIX } from './live-memory.ts'

/** Up to where each partition is applied (exclusive), in the commit with what that did. */
export const OFFSET_PREFIX: string = `${LIVE_PREFIX}offset/`
/** Says in which form the state is stored; outside the prefix, so that it goes first and comes back last. */
export const FORMAT_KEY = 'live-format'
/** Raised when the stored form changes: state of another form is made again from the log. */
export const FORMAT = 4
