import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Api } from '../api-deps.ts'
import { buildSdkIfNeeded } from './build-sdk.ts'

/** The address never changes, so a new version must be found within minutes. */
const CACHE = 'public, max-age=300, stale-while-revalidate=86400'

interface Script {
  readonly text: string
  /** Weak: the same text may go out compressed. */
  readonly etag: string
}

/** `/sdk/arus.js` and `/sdk/arus.mjs`, the browser SDK from the shop's own server. */
export function sdkRoutes(app: Api): void {
  const scripts = new Map<string, Promise<Script>>()
  const scriptOf = (file: string): Promise<Script> => {
    const known = scripts.get(file)
    if (known !== undefined) return known
    const read = readScript(file)
    scripts.set(file, read)
    // What could not be built is tried again by the next request.
    read.catch(() => scripts.delete(file))
    return read
  }
  for (const [file, summary] of [
    ['arus.js', 'The browser SDK as a classic script'],
    ['arus.mjs', 'The browser SDK as an ES module'],
  ] as const) {
    app.get(
      `/sdk/${file}`,
      { config: { scope: 'open' }, schema: { tags: ['events'], summary, produces: ['text/javascript'] } },
      async (request, reply) => send(request, reply, await scriptOf(file)),
    )
  }
}

async function readScript(file: string): Promise<Script> {
  const text = await readFile(join(await buildSdkIfNeeded(), file), 'utf8')
  return { text, etag: `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` }
}

function send(request: FastifyRequest, reply: FastifyReply, { text, etag }: Script): FastifyReply {
  reply.headers({ etag, 'cache-control': CACHE })
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim())
  if (known?.includes(etag)) return reply.status(304).send()
  return reply.type('text/javascript; charset=utf-8').send(text)
}
