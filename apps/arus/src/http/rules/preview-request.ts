import type { PreviewRequestBody } from '../../api-schema/rules.ts'
import { momentOf } from '../../moment.ts'
import type { PreviewRequest } from '../../recommend/arrange/preview-rules.ts'
import type { PassportRequest } from '../../recommend/passport/passport.ts'
import { newRule } from '../../rules/new-rule.ts'
import { requestInvalid } from '../problem.ts'

const LIMIT_DEFAULT = 10

/** What a body asks to be previewed. Throws `REQUEST_INVALID` where fields do not go together. */
export function previewRequest(body: PreviewRequestBody): PreviewRequest {
  const { min_price = null, max_price = null } = body
  if (min_price !== null && max_price !== null && min_price > max_price) {
    throw requestInvalid('min_price is above max_price.', [
      { pointer: '/min_price', reason: 'must not be above max_price' },
    ])
  }
  return {
    asking: {
      request: {
        kind: kindOf(body),
        product_id: body.product_id ?? null,
        ...(body.cart === undefined ? {} : { cart: body.cart }),
        limit: body.limit ?? LIMIT_DEFAULT,
        category: body.category || null,
        min_price,
        max_price,
        exclude: body.exclude ?? [],
      },
      scenario: body.scenario,
      user_id: body.user_id ?? null,
      session_id: body.session_id ?? null,
    },
    rules: body.rules.map(newRule),
    without: body.without ?? [],
    atMs: atOf(body.at),
  }
}

/** By what is given; with nothing, for somebody who did nothing. */
function kindOf({ product_id, cart, user_id, session_id }: PreviewRequestBody): PassportRequest['kind'] {
  if (product_id !== undefined) return 'similar'
  if (cart !== undefined) return 'cart'
  return user_id === undefined && session_id !== undefined ? 'session' : 'user'
}

function atOf(at: PreviewRequestBody['at']): number | null {
  if (at == null) return null
  const ms = momentOf(String(at))
  if (ms !== null) return ms
  const reason = 'must be UTC milliseconds or ISO 8601, such as 2026-12-24T00:00:00Z'
  throw requestInvalid(`"at" ${reason}.`, [{ pointer: '/at', reason }])
}
