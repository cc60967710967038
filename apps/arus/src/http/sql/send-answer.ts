import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { SqlAnswer, SqlFormat } from '../../query/lake-sql.ts'
import { MEDIA_TYPES } from './format.ts'
import { jsonBody } from './json-body.ts'

/** Headers that tell what JSON has in its body. */
export const SQL_HEADERS: readonly string[] = [
  'x-arus-table-versions',
  'x-arus-row-count',
  'x-arus-truncated',
  'x-arus-next-cursor',
]

/** Sends the rows at the client's pace. JSON holds the facts of the answer; other formats have them as headers. */
export function sendAnswer(answer: SqlAnswer, format: SqlFormat, reply: FastifyReply): FastifyReply {
  reply.header('content-type', MEDIA_TYPES[format])
  if (format === 'json') return reply.send(Readable.from(jsonBody(answer), { objectMode: false }))
  reply.header('x-arus-table-versions', JSON.stringify(answer.tableVersions))
  reply.header('x-arus-row-count', answer.rowCount)
  reply.header('x-arus-truncated', String(answer.isTruncated))
  if (answer.nextCursor !== null) reply.header('x-arus-next-cursor', answer.nextCursor)
  return reply.send(Readable.from(answer.body, { objectMode: false }))
}

/** Aborts when the client goes before it has its answer. */
export function leaving(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort()
  })
  return controller.signal
}
