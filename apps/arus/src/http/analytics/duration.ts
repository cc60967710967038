import { requestInvalid } from '../problem.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
/** A year and a day. */
const DURATION_MAX_MS = 366 * 86_400_000

/** Milliseconds of a duration such as `90s`, `30m`, `1h`, `7d`, `2w`; throws `REQUEST_INVALID` naming the parameter. */
export function durationOf(name: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,8})([smhdw])$/.exec(text) ?? []
  const ms = Number(number) * (UNIT_MS[unit] ?? 0)
  if (ms > 0 && ms <= DURATION_MAX_MS) return ms
  const reason = 'must be a number and s, m, h, d or w, such as 30m or 7d, at most 366 days'
  throw requestInvalid(`"${name}" ${reason}.`, [{ pointer: `/${name}`, reason }])
}
