import { ArusError } from '../../errors.ts'
import type { SqlFormat } from '../../query/lake-sql.ts'

/** Content types of the formats. */
export const MEDIA_TYPES: Readonly<Record<SqlFormat, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  arrow: 'application/vnd.apache.arrow.stream',
  parquet: 'application/vnd.apache.parquet',
}

/** In the order of preference among equals. */
const ACCEPTED: readonly (readonly [SqlFormat, RegExp])[] = [
  ['json', /^(\*\/\*|application\/(\*|json))$/],
  ['csv', /^text\/(\*|csv)$/],
  ['arrow', /^application\/vnd\.apache\.arrow\.stream$/],
  ['parquet', /^application\/(vnd\.apache\.parquet|x-parquet)$/],
]

/** The format asked for in the body, else the best the Accept header takes. Throws `NOT_ACCEPTABLE`. */
export function chosenFormat(format: SqlFormat | undefined, accept: string | undefined): SqlFormat {
  if (format !== undefined) return format
  if (accept === undefined || accept.trim() === '') return 'json'
  const ranges = accept
    .split(',')
    .map(parseRange)
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  for (const { type } of ranges) {
    const found = ACCEPTED.find(([, pattern]) => pattern.test(type))
    if (found !== undefined) return found[0]
  }
  throw new ArusError(
    'NOT_ACCEPTABLE',
    `Rows come as application/json, text/csv, ${MEDIA_TYPES.arrow} or ${MEDIA_TYPES.parquet}; the Accept header takes none of them.`,
  )
}

/** A media range with its weight, RFC 9110 §12.5.1. */
function parseRange(text: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 }
}
