/** Reads the times of a file, whose unit is known only when all of them are. */
export interface TimeReader {
  /** Takes the time fields of a row; false where they are no time. */
  add(fields: readonly string[]): boolean
  /** UTC milliseconds of the rows taken. */
  timesMs(): Float64Array
}

const DATE = /^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?/
const ZONE = /^ ?(?:Z|UTC|[+-]\d\d:?\d\d)$/
/** Greatest time, from which on it must be in a unit of so many to a millisecond: 10¹¹ s is the year 5138. */
const UNITS = [
  { from: 1e17, perMs: 1e6 },
  { from: 1e14, perMs: 1e3 },
  { from: 1e11, perMs: 1 },
  { from: 0, perMs: 1e-3 },
] as const

/**
 * Times are numbers (unix seconds, milliseconds, microseconds or nanoseconds, fractions too; which, the greatest tells) or ISO
 * dates (UTC unless a zone is given). The first row says which of the two. Of several fields a date comes first and the others are milliseconds added to it.
 */
export function timeReader(): TimeReader {
  const values: number[] = []
  let areDates: boolean | undefined
  return {
    add(fields) {
      const [first, ...more] = fields.map(parse)
      if (first === undefined || more.some((part) => part === undefined || part.isDate)) return false
      areDates ??= first.isDate
      if (first.isDate !== areDates) return false
      values.push(more.reduce((sum, part) => sum + part!.value, first.value))
      return true
    },
    timesMs() {
      if (areDates) return Float64Array.from(values)
      const greatest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const { perMs } = UNITS.find(({ from }) => greatest >= from)!
      return Float64Array.from(values, (value) => value / perMs)
    },
  }
}

function parse(field: string): { readonly value: number; readonly isDate: boolean } | undefined {
  const date = DATE.exec(field)?.[0]
  if (date !== undefined) {
    const zone = field.slice(date.length)
    if (zone !== '' && !ZONE.test(zone)) return undefined
    const time = date.includes(':') ? date.replace(' ', 'T') : `${date}T00:00`
    const value = Date.parse(time + (/[+-]/.test(zone) ? zone.trim() : 'Z'))
    return Number.isFinite(value) ? { value, isDate: true } : undefined
  }
  const value = field === '' ? Number.NaN : Number(field)
  return Number.isFinite(value) ? { value, isDate: false } : undefined
}
