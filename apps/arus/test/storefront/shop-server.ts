import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { repository } from '../end-to-end/running-arus.ts'

const storefront = join(repository, 'examples/storefront')
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
}

export interface ShopServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves `examples/storefront` as any static server does, with Arus at `apiUrl`. `/blank?ATTRIBUTES` is an empty page whose script
 * tag has these attributes.
 */
export async function serveStorefront(apiUrl: string): Promise<ShopServer> {
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://shop')
    if (pathname === '/blank') {
      response.setHeader('content-type', 'text/html').end(blankPage(apiUrl, new URLSearchParams(search)))
      return
    }
    const file = pathname === '/' ? 'index.html' : pathname.slice(1)
    const text = await readFile(join(storefront, file), 'utf8').catch(() => null)
    if (text === null) response.writeHead(404).end()
    else {
      response.setHeader('content-type', TYPES[extname(file)] ?? 'text/plain')
      response.end(text.replaceAll('http://127.0.0.1:8000', apiUrl))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function blankPage(apiUrl: string, attributes: URLSearchParams): string {
  const given = [...attributes].map(([name, value]) => `data-${name}="${value}"`).join(' ')
  return `<!doctype html><meta charset="utf-8"><title>Blank</title><link rel="icon" href="data:,">
<script src="${apiUrl}/sdk/arus.js" ${given}></script><body></body>`
}
