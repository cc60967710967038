const DAY_MS = 86_400_000
/** Years with a 29 February by the Julian calendar alone. */
const JULIAN_LEAP_YEARS = [1500, 1400, 1300, 1100, 1000, 900, 700, 600, 500, 300, 200, 100]

/**
 * A day or an instant with the date it had by the Julian calendar, now by the Gregorian: SQL for one of `type`. The
 * difference is 10 days from March 1500 on, and one less before each of the years that were leap years by one calendar.
 */
export function fromJulian(value: string, type: 'DATE' | 'TIMESTAMPTZ'): string {
  const branches = JULIAN_LEAP_YEARS.map((year, i) => {
    const days = 10 - i
    return `WHEN ${value} >= ${moment(Date.UTC(year, 2, 1) + days * DAY_MS, type)} THEN ${shifted(value, -days, type)}`
  })
  return `CASE WHEN ${value} IS NULL OR ${value} >= ${moment(Date.UTC(1582, 9, 15), type)} THEN ${value} ${branches.join(' ')} ELSE ${shifted(value, 2, type)} END`
}

function moment(ms: number, type: 'DATE' | 'TIMESTAMPTZ'): string {
  const day = new Date(ms).toISOString().slice(0, 10)
  return type === 'DATE' ? `DATE '${day}'` : `TIMESTAMPTZ '${day} 00:00:00+00'`
}

function shifted(value: string, days: number, type: 'DATE' | 'TIMESTAMPTZ'): string {
  return type === 'DATE' ? `${value} + (${days})` : `${value} + INTERVAL (${24 * days}) HOUR`
}
