import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy whose connections can be cut, at once or after so many bytes of the server's. */
export class CuttingProxy implements AsyncDisposable {
  /** Connections that were cut. */
  cutCount = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Bytes each next connection may bring from the server before it is cut. */
  readonly #limits: number[] = []

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, host)
      let left = this.#limits.shift() ?? Number.POSITIVE_INFINITY
      this.#keep(client, server)
      this.#keep(server, client)
      client.pipe(server)
      server.on('data', (chunk) => {
        left -= chunk.length
        if (left > 0) {
          if (!client.write(chunk)) {
            server.pause()
            client.once('drain', () => server.resume())
          }
          return
        }
        client.resetAndDestroy()
        server.resetAndDestroy()
        this.cutCount++
      })
    })
  }

  static async start(host: string, port: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(host, port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The next connections are cut after these many bytes, one each. */
  limitNext(...bytes: readonly number[]): void {
    this.#limits.push(...bytes)
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.cutCount++
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #keep(socket: Socket, peer: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      peer.destroy()
    })
  }
}
