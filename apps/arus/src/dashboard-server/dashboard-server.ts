import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { extname, join, posix } from 'node:path'
import { ArusError } from '../errors.ts'

export interface DashboardOptions {
  readonly host: string
  readonly port: number
  /** Where the pages find the API, on the same host. */
  readonly apiPort: number
  /** Built pages. */
  readonly distFolder: string
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

/** The API may stand on any port of the host the page came from; product pictures come from anywhere over https. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; connect-src 'self' http: https:; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** Serves the built pages: hashed assets for ever, `/config.json` for where the API is, the page for every other path. */
export async function startDashboard(
  options: DashboardOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  await listen(server, options)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  return {
    url: `http://${options.host}:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(
  options: DashboardOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  const path = pathOf(request.url ?? '/')
  if (path === '/config.json') {
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      'content-type': TYPES['.json'],
      'cache-control': 'no-store',
    })
    response.end(JSON.stringify({ api_port: options.apiPort, api_url: null }))
    return
  }
  const file = join(options.distFolder, path)
  const facts = path === '/' ? null : await stat(file).catch(() => null)
  if (facts?.isFile()) return send(request, response, file, path.startsWith('/assets/'))
  if (path.startsWith('/assets/')) {
    response.writeHead(404, SECURITY_HEADERS).end()
    return
  }
  send(request, response, join(options.distFolder, 'index.html'), false)
}

function send(request: IncomingMessage, response: ServerResponse, file: string, isHashed: boolean): void {
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
  })
  if (request.method === 'HEAD') response.end()
  else
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response)
}

/** The path of a URL, decoded and without any way up. */
function pathOf(url: string): string {
  const [path = '/'] = url.split('?')
  try {
    // Backslashes first: normalised after, "..\\" is a way up like any other.
    const plain = decodeURIComponent(path).replaceAll('\\', '/').replaceAll('\0', '')
    return posix.normalize(`/${plain}`)
  } catch {
    return '/'
  }
}

async function listen(server: Server, { host, port }: DashboardOptions): Promise<void> {
  const failed = Promise.withResolvers<never>()
  server.once('error', (error: NodeJS.ErrnoException) => {
    failed.reject(
      error.code === 'EADDRINUSE'
        ? new ArusError('PORT_IN_USE', `Port ${port} is taken; set ARUS_DASHBOARD_PORT to another`, {
            cause: error,
          })
        : error,
    )
  })
  await Promise.race([new Promise<void>((resolve) => server.listen(port, host, resolve)), failed.promise])
}
