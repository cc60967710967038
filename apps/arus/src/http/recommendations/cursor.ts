import { KeptOn } from '../../kept-on.ts'
import { requestInvalid } from '../problem.ts'

/** With the longest of all other parameters beside it, a request's head stays below the 16 kB that Node takes. */
export const CURSOR_LENGTH_MAX = 4_000
/** Products on all pages at most: a passport keeps so many that were left out. */
const SHOWN_MAX = 200

type Page = readonly { readonly product_id: string }[]

/** Of first pages: the same products, as the same array, have the same cursor. */
const afterFirst = new KeptOn<Page, string>()

/**
 * Where the next page begins. Opaque to callers; holds the products of the pages before, since what comes next may have
 * changed with what the shopper did between two pages. Null when there is no more, or the cursor would be too long.
 */
export function cursorAfter(shown: readonly string[], page: Page, limit: number): string | null {
  if (page.length < limit || shown.length + page.length > SHOWN_MAX) return null
  const known = shown.length === 0 ? afterFirst.get(page) : undefined
  const cursor = known ?? encoded([...shown, ...page.map(({ product_id }) => product_id)])
  if (shown.length === 0) afterFirst.set(page, cursor)
  return cursor.length > CURSOR_LENGTH_MAX ? null : cursor
}

function encoded(ids: readonly string[]): string {
  return Buffer.from(JSON.stringify(ids)).toString('base64url')
}

/** The products of the pages before. Throws `REQUEST_INVALID` for a cursor that is broken. */
export function shownBefore(cursor: string): string[] {
  const ids = decoded(cursor)
  if (ids !== null) return ids
  const reason = 'is not a cursor of this API; use next_cursor as it was given'
  throw requestInvalid(`The cursor ${reason}.`, [{ pointer: '/cursor', reason }])
}

function decoded(cursor: string): string[] | null {
  try {
    const ids: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (!Array.isArray(ids) || ids.length > SHOWN_MAX) return null
    return ids.every((id) => typeof id === 'string') ? ids : null
  } catch {
    return null
  }
}
