import { ProblemSchema } from '../../api-schema/index.ts'
import { type SqlRequest, SqlRequestSchema, SqlResultSchema } from '../../api-schema/lake.ts'
import type { SqlQuestion } from '../../query/lake-sql.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { responses } from '../responses.ts'
import { chosenFormat, MEDIA_TYPES } from './format.ts'
import { parseSqlRequest } from './parse-request.ts'
import { leaving, sendAnswer } from './send-answer.ts'

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
      config: { scope: 'admin' },
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
