import { requestInvalid } from '../problem.ts'

/** Rows a search can be paged to. */
export const OFFSET_MAX = 10_000

/** Where the next page of a search begins. Opaque to callers; holds the search it belongs to. */
export function cursorOf(offset: number, search: string): string {
  return Buffer.from(JSON.stringify([offset, search])).toString('base64url')
}

/** The offset of a cursor; throws `REQUEST_INVALID` for one that is broken or belongs to another search. */
export function offsetOf(cursor: string, search: string): number {
  const value = decoded(cursor)
  if (value === null) throw wrong('is not a cursor of this API; use next_cursor as it was given')
  if (value.search !== search) throw wrong('belongs to another search; page with the same parameters')
  return value.offset
}

function decoded(cursor: string): { readonly offset: number; readonly search: string } | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (!Array.isArray(value) || value.length !== 2) return null
    const [offset, search] = value as unknown[]
    if (typeof search !== 'string' || typeof offset !== 'number') return null
    return Number.isInteger(offset) && offset >= 0 && offset <= OFFSET_MAX ? { offset, search } : null
  } catch {
    return null
  }
}

function wrong(reason: string): Error {
  return requestInvalid(`The cursor ${reason}.`, [{ pointer: '/cursor', reason }])
}
