import { requestInvalid } from '../problem.ts'

/** Where the next page of a list begins, as an opaque text bound to the list. */
export function writeCursor(list: string, numbers: readonly number[]): string {
  return Buffer.from(JSON.stringify([list, ...numbers])).toString('base64url')
}

/** The numbers of a cursor. Throws `REQUEST_INVALID` for one that is broken or belongs to another list. */
export function readCursor(cursor: string, list: string, count: number): number[] {
  const [owner, ...numbers] = parsed(cursor)
  const isWhole = numbers.every((number) => Number.isSafeInteger(number) && Number(number) >= 0)
  if (owner === list && numbers.length === count && isWhole) return numbers as number[]
  const reason = 'is not a cursor of this list; use next_cursor as it was given'
  throw requestInvalid(`The cursor ${reason}.`, [{ pointer: '/cursor', reason }])
}

function parsed(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
