import Type from 'typebox'
import {
  SqlResultSchema,
  TableDetailSchema,
  TableFilesSchema,
  TableHistorySchema,
  TablesSchema,
} from '../../api-schema/lake.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { responses } from '../responses.ts'
import { leaving, sendAnswer } from '../sql/send-answer.ts'
import { readCursor, writeCursor } from './page-cursor.ts'

const TAGS = ['lake']
const PREVIEW_TIMEOUT_MS = 30_000

const Name = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100, examples: ['silver.events'] }),
})
const Page = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 50 }),
  cursor: Type.Optional(Type.String({ maxLength: 2_000, description: '`next_cursor` of the page before.' })),
})

/** `/tables` */
export function tableRoutes(app: Api, { tables, sql }: ApiDeps): void {
  app.get(
    '/tables',
    {
      config: { scope: 'admin' },
      schema: { tags: TAGS, summary: 'All tables of the lake', response: responses(TablesSchema) },
    },
    async () => ({ tables: await tables.list() }),
  )

  app.get(
    '/tables/:name',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'One table: columns, protocol, health, quality',
        params: Name,
        response: responses(TableDetailSchema, [400, 404]),
      },
    },
    async (request) => tables.detail(request.params.name),
  )

  app.get(
    '/tables/:name/history',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Its versions, newest first',
        params: Name,
        querystring: Page,
        response: responses(TableHistorySchema, [400, 404]),
      },
    },
    async (request) => {
      const { name } = request.params
      const { limit, cursor } = request.query
      const [before] = cursor === undefined ? [] : readCursor(cursor, `history ${name}`, 1)
      const versions = await tables.history(name, { limit, ...(before === undefined ? {} : { before }) })
      const last = versions.at(-1)?.version ?? 0
      const hasMore = versions.length === limit && last > 0
      return { versions, next_cursor: hasMore ? writeCursor(`history ${name}`, [last]) : null }
    },
  )

  app.get(
    '/tables/:name/files',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Its files, by path, with sizes and statistics',
        description: 'Every page is of the version of the first.',
        params: Name,
        querystring: Page,
        response: responses(TableFilesSchema, [400, 404]),
      },
    },
    async (request) => {
      const { name } = request.params
      const { limit, cursor } = request.query
      const [version, offset = 0] = cursor === undefined ? [] : readCursor(cursor, `files ${name}`, 2)
      const page = await tables.files(name, { limit, offset, ...(version === undefined ? {} : { version }) })
      const next = offset + page.files.length
      const hasMore = page.files.length > 0 && next < page.total
      return { ...page, next_cursor: hasMore ? writeCursor(`files ${name}`, [page.version, next]) : null }
    },
  )

  app.get(
    '/tables/:name/preview',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Some of its rows',
        params: Name,
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 20 }) }),
        response: responses(SqlResultSchema, [400, 404, 503]),
      },
    },
    async (request, reply) => {
      const { name } = await tables.detail(request.params.name)
      const answer = await sql.ask({
        sql: `SELECT * FROM ${name}`,
        format: 'json',
        rowLimit: request.query.limit,
        timeoutMs: PREVIEW_TIMEOUT_MS,
        signal: leaving(reply),
      })
      return sendAnswer(answer, 'json', reply) as never
    },
  )
}
