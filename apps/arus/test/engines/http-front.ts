import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HttpFrontOptions {
  /** What `authorization` must say; nothing when not given. */
  readonly authorization?: string
}

/** A reverse proxy before an engine, as shops have them: it may ask for a password, and it can lose answers. */
export class HttpFront implements AsyncDisposable {
  readonly #server: Server
  #lost = ''
  #cut = ''
  /** Paths of the requests that came, in order. */
  readonly paths: string[] = []

  private constructor(target: URL, { authorization }: HttpFrontOptions) {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '/'
      this.paths.push(path)
      if (authorization !== undefined && request.headers.authorization !== authorization)
        return void response.writeHead(401, { 'www-authenticate': 'Basic' }).end('Authorization Required')
      if (this.#cut !== '' && path.includes(this.#cut)) return void request.socket.destroy()
      const { host: _, ...headers } = request.headers
      const isLost = this.#lost !== '' && path.includes(this.#lost)
      if (isLost) this.#lost = ''
      const forwarded = send(new URL(path, target), { method: request.method ?? 'GET', headers })
      request.pipe(forwarded)
      forwarded.on('error', () => request.socket.destroy())
      forwarded.on('response', (answer: IncomingMessage) => {
        if (isLost) return void answer.resume().on('end', () => request.socket.destroy())
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
    })
  }

  static async before(target: URL, options: HttpFrontOptions = {}): Promise<HttpFront> {
    const front = new HttpFront(target, options)
    front.#server.listen(0, '127.0.0.1')
    await once(front.#server, 'listening')
    return front
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The engine does what the next request to such a path says, and whoever asked never hears of it. */
  loseAnswerTo(path: string): void {
    this.#lost = path
  }

  /** From now on no request to such a path arrives. */
  cut(path: string): void {
    this.#cut = path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}
