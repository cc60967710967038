import { DeltaError } from './errors.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1_000,
  millisecond: 1,
}

/** Length of an interval such as `interval 1 week` or `interval 2 days 12 hours`, ms. Throws `DELTA_VALUE_INVALID`. */
export function intervalMs(text: string): number {
  const parts = [...text.toLowerCase().matchAll(/(\d+)\s+([a-z]+?)s?\b/g)]
  const total = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? Number.NaN),
    0,
  )
  if (parts.length > 0 && !Number.isNaN(total)) return total
  throw new DeltaError('DELTA_VALUE_INVALID', `"${text}" is no interval; write for example "interval 7 days"`)
}
