import Type from 'typebox'
import type { Period } from '../api-deps.ts'
import { requestInvalid } from '../problem.ts'

const Moment = (description: string) =>
  Type.Optional(
    Type.String({
      maxLength: 40,
      description: `${description}: UTC milliseconds, or ISO 8601.`,
      examples: ['2026-01-31', '2026-01-31T12:00:00Z', '1769860800000'],
    }),
  )

/** Query parameters of a stretch of time. */
export const PeriodFields = { from: Moment('First moment'), to: Moment('End, not included') }

/** Parses `from` and `to`; throws `REQUEST_INVALID` naming the one that is wrong. */
export function periodOf(query: { readonly from?: string; readonly to?: string }): Period {
  const fromMs = momentOf('from', query.from)
  const toMs = momentOf('to', query.to)
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw requestInvalid('"from" must be before "to".', [{ pointer: '/from', reason: 'must be before to' }])
  }
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) }
}

const ISO_8601 = /^\d{4}-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?$/
/** Largest time a date can hold, ECMA-262 §21.4.1.1. */
const TIME_MAX_MS = 8.64e15

function momentOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const ms = /^-?\d{1,16}$/.test(text) ? Number(text) : isoToMs(text)
  if (Number.isFinite(ms) && Math.abs(ms) <= TIME_MAX_MS) return ms
  const reason = 'must be UTC milliseconds or ISO 8601, such as 2026-01-31T12:00:00Z'
  throw requestInvalid(`"${name}" ${reason}.`, [{ pointer: `/${name}`, reason }])
}

/** A time without a zone is UTC. */
function isoToMs(text: string): number {
  if (!ISO_8601.test(text)) return Number.NaN
  const hasZone = !text.includes('T') || /(Z|[+-]\d{2}:?\d{2})$/.test(text)
  return Date.parse(hasZone ? text : `${text}Z`)
}
