import { ArusError } from '../errors.ts'
import { DAY_MS, HOUR_MS } from './period.ts'

/** Years 100 to 9000: dates beyond are taken to have the zone's time of then. */
const CLOCK_MS = { min: -59_000_000_000_000, max: 221_000_000_000_000 }
/** No zone is further from UTC than this. */
const OFFSET_MAX_MS = 26 * HOUR_MS

/** Whether a text is the IANA name of a zone; offsets such as +07:00 are none, as DuckDB does not know them. */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z][\w/+-]*$/.test(text)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}

/** The zone by the name this machine knows it by. Throws `REQUEST_INVALID` for an unknown one. */
export function knownTimeZone(text: string): string {
  if (isTimeZone(text)) return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
  throw new ArusError('REQUEST_INVALID', `"${text}" is no time zone; give an IANA name such as Asia/Jakarta`)
}

/** The wall clock of a zone. */
export class LocalClock {
  readonly #format: Intl.DateTimeFormat

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** What the clock is ahead of UTC by at a moment, milliseconds. */
  offsetMs(atMs: number): number {
    const knownMs = Math.min(Math.max(atMs, CLOCK_MS.min), CLOCK_MS.max)
    const parts = Object.fromEntries(
      this.#format.formatToParts(knownMs).map(({ type, value }) => [type, Number(value)]),
    )
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    const clock = new Date(Date.UTC(2000, month - 1, day, hour, minute, second)).setUTCFullYear(
      year,
      month - 1,
      day,
    )
    return clock - Math.floor(knownMs / 1_000) * 1_000
  }

  /** The date of a moment, in days since 1970-01-01. */
  dayOf(atMs: number): number {
    return Math.floor((atMs + this.offsetMs(atMs)) / DAY_MS)
  }

  /** When a date begins: midnight, or the first moment after it where clocks are put forward over it. */
  startOfDay(day: number): number {
    const midnight = day * DAY_MS
    const guess = midnight - this.offsetMs(midnight - this.offsetMs(midnight))
    if (this.dayOf(guess) === day && this.dayOf(guess - 1) < day) return guess
    let [before, start] = [midnight - OFFSET_MAX_MS, midnight + OFFSET_MAX_MS]
    while (start - before > 1) {
      const middle = Math.floor((before + start) / 2)
      if (this.dayOf(middle) < day) before = middle
      else start = middle
    }
    return start
  }
}
