import Type from 'typebox'
import { momentOf } from '../../moment.ts'
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
  const fromMs = paramOf('from', query.from)
  const toMs = paramOf('to', query.to)
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw requestInvalid('"from" must be before "to".', [{ pointer: '/from', reason: 'must be before to' }])
  }
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) }
}

function paramOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const ms = momentOf(text)
  if (ms !== null) return ms
  const reason = 'must be UTC milliseconds or ISO 8601, such as 2026-01-31T12:00:00Z'
  throw requestInvalid(`"${name}" ${reason}.`, [{ pointer: `/${name}`, reason }])
}
