import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { ProblemSchema } from '../../api-schema.ts'
import { type SqlRequest, SqlRequestSchema, SqlResultSchema } from '../../lake-schema.ts'
import type { SqlAnswer, SqlFormat, SqlQuestion } from '../../query/lake-sql.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { responses } from '../responses.ts'
import { chosenFormat, MEDIA_TYPES } from './format.ts'
import { jsonBody } from './json-body.ts'
import { parseSqlRequest } from './parse-request.ts'

/** Headers that tell what JSON has in its body. */
export const SQL_HEADERS: readonly string[] = [
  'x-arus-table-versions',
  'x-arus-row-count',
  'x-arus-truncated',
  'x-arus-next-cursor',
]

const ROW_LIMIT = 10_000
const TIMEOUT_MS = 30_000
/** The longest text, its parameters and the JSON around them. */
const BODY_LIMIT_BYTES = 1024 * 1024

/** `POST /sql`. Registers its own body parser, so `scope` must be encapsulated. */
export function sqlRoutes(scope: Api, { sql }: Pick<ApiDeps, 'sql'>): void {
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
  scope.post(
    '/sql',
    {
      bodyLimit: BODY_LIMIT_BYTES,
      validatorCompiler: () => () => true,
      schema: {
        tags: ['lake'],
        summary: 'One SELECT over the lake',
        description:
          'Tables by name, all read at one moment; `silver.events AT (VERSION => 12)` or `AT (TIMESTAMP => …)` reads an older version. Rows as JSON, CSV, an Arrow stream or Parquet, by `format` or Accept. What may be asked, and what is refused, is in docs/SQL.md.',
        body: SqlRequestSchema,
        response: sqlResponses(),
      },
    },
    async (request, reply) => {
      const asked = parseSqlRequest(request.body as unknown as string | undefined)
      const format = chosenFormat(asked.format, request.headers.accept)
      const left = leaving(reply)
      const answer = await sql.ask({ ...questionOf(asked), format, signal: left })
      return sendAnswer(answer, format, reply)
    },
  )
}

function questionOf(asked: SqlRequest): Omit<SqlQuestion, 'format'> {
  const { sql, params, row_limit = ROW_LIMIT, timeout_ms = TIMEOUT_MS, at, cursor } = asked
  return {
    sql,
    rowLimit: row_limit,
    timeoutMs: timeout_ms,
    ...(params === undefined ? {} : { params }),
    ...(at === undefined ? {} : { at }),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

/** Aborts when the client goes before it has its answer. */
function leaving(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}

/** Sends the rows at the client's pace. JSON holds the facts of the answer; other formats have them as headers. */
function sendAnswer(answer: SqlAnswer, format: SqlFormat, reply: FastifyReply): FastifyReply {
  reply.header('content-type', MEDIA_TYPES[format])
  if (format === 'json') return reply.send(Readable.from(jsonBody(answer), { objectMode: false }))
  reply.header('x-arus-table-versions', JSON.stringify(answer.tableVersions))
  reply.header('x-arus-row-count', answer.rowCount)
  reply.header('x-arus-truncated', String(answer.isTruncated))
  if (answer.nextCursor !== null) reply.header('x-arus-next-cursor', answer.nextCursor)
  return reply.send(Readable.from(answer.body, { objectMode: false }))
}

function sqlResponses(): Record<string | number, object> {
  const { 200: json, ...problems } = responses(SqlResultSchema, [400, 404, 413, 415, 503])
  const bytes = { schema: { type: 'string', format: 'binary' } }
  const problem = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: ProblemSchema } },
  })
  return {
    ...problems,
    200: {
      description: 'The rows.',
      content: {
        'application/json': { schema: json },
        'text/csv': bytes,
        [MEDIA_TYPES.arrow]: bytes,
        [MEDIA_TYPES.parquet]: bytes,
      },
    },
    406: problem('No format of this API is accepted.'),
    408: problem('The query took too long.'),
    422: problem('The query needs more memory or disk than it may have.'),
  }
}
