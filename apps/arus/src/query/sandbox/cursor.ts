import { createHash } from 'node:crypto'
import { ArusError } from '../../errors.ts'
import type { SqlQuestion } from '../lake-sql.ts'

/** What a cursor stands for: the versions of the first page, and how many rows came before. */
export interface SqlCursor {
  /** In the order of the plan's tables. */
  readonly versions: readonly number[]
  readonly offset: number
}

type Asked = Pick<SqlQuestion, 'sql' | 'params' | 'at'>

/** The cursor as an opaque text; it is bound to the question, not secret. */
export function encodeCursor({ versions, offset }: SqlCursor, asked: Asked): string {
  return Buffer.from(JSON.stringify([fingerprint(asked), offset, ...versions])).toString('base64url')
}

/** Throws `REQUEST_INVALID` for a text that is no cursor, or one of another question. */
export function decodeCursor(text: string, asked: Asked): SqlCursor {
  const parts = parsed(text)
  if (parts === null) throw refusal('is not a cursor of this API')
  const [print, offset, ...versions] = parts
  if (print !== fingerprint(asked))
    throw refusal('belongs to another query, other parameters or another "at"')
  const numbers = [offset, ...versions]
  if (!numbers.every((number) => Number.isSafeInteger(number) && Number(number) >= 0)) {
    throw refusal('is not a cursor of this API')
  }
  return { offset: Number(offset), versions: versions.map(Number) }
}

function parsed(text: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

function fingerprint({ sql, params = [], at }: Asked): string {
  return createHash('sha256')
    .update(JSON.stringify([sql, params, at ?? null]))
    .digest('base64url')
    .slice(0, 16)
}

function refusal(reason: string): ArusError {
  return new ArusError('REQUEST_INVALID', `The cursor ${reason}; send the query without it to begin again.`, {
    details: { errors: [{ pointer: '/cursor', reason }] },
  })
}
