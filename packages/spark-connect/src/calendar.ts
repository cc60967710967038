const MS_PER_DAY = 86_400_000
const MICROS_PER_DAY = 86_400_000_000n
const DATE = /^([+-]?\d{4,6})-(\d\d)-(\d\d)$/
const DATE_TIME = /^([+-]?\d{4,6}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)$/
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/

/** `2024-02-29` of days since 1970-01-01. Years past 9999 have a sign and six digits, as ISO 8601 and JavaScript write them. */
export function dateOfDays(days: number): string {
  return new Date(days * MS_PER_DAY).toISOString().split('T')[0]!
}

/** Days since 1970-01-01; null when the text is no date of the calendar. */
export function daysOfDate(text: string): number | null {
  if (!DATE.test(text)) return null
  const ms = Date.parse(`${text}T00:00:00Z`)
  // JavaScript takes February 30 for March 1.
  return Number.isNaN(ms) || dateOfDays(ms / MS_PER_DAY) !== text ? null : ms / MS_PER_DAY
}

/** `13:45:00.123456` of nanoseconds since midnight; nine digits when six do not hold it. */
export function timeOfNanos(nanos: bigint): string {
  const seconds = Number(nanos / 1_000_000_000n)
  const fraction = String(nanos % 1_000_000_000n).padStart(9, '0')
  const clock = new Date(seconds * 1000).toISOString().slice(11, 19)
  return `${clock}.${fraction.endsWith('000') ? fraction.slice(0, 6) : fraction}`
}

/** Nanoseconds since midnight; null when the text is no time of a day. */
export function nanosOfTime(text: string): bigint | null {
  const match = TIME.exec(text)
  if (match === null) return null
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
  if (hours > 23 || minutes > 59 || seconds > 59) return null
  const wholeSeconds = BigInt((hours * 60 + minutes) * 60 + seconds)
  return wholeSeconds * 1_000_000_000n + BigInt((match[4] ?? '').padEnd(9, '0'))
}

/** `2024-02-29T13:45:00.123456` of microseconds since 1970, in no time zone. */
export function dateTimeOfMicros(micros: bigint): string {
  const days = floorDivide(micros, MICROS_PER_DAY)
  return `${dateOfDays(Number(days))}T${timeOfNanos((micros - days * MICROS_PER_DAY) * 1000n)}`
}

/** Microseconds since 1970 of a date and time in no time zone; null when it is none, or finer than a microsecond. */
export function microsOfDateTime(text: string): bigint | null {
  const match = DATE_TIME.exec(text)
  const days = match === null ? null : daysOfDate(match[1]!)
  const nanos = match === null ? null : nanosOfTime(match[2]!)
  if (days === null || nanos === null || nanos % 1000n !== 0n) return null
  return BigInt(days) * MICROS_PER_DAY + nanos / 1000n
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}
