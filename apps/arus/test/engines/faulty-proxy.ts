import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of the next bytes that hold the wanted word. */
type Fault = 'deliver' | 'lose reply' | 'hold'

/** Stands between a client and a server on loopback, and breaks connections at the worst moments. */
export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #word: string
  #fault: Fault = 'deliver'
  #held: (() => void) | null = null

  private constructor(target: number, word: string) {
    this.#word = word
    this.#server = createServer((client) => this.#relay(client, connect(target, '127.0.0.1')))
  }

  /** Faults strike what holds `word`. */
  static async start(targetPort: number, word: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(targetPort, word)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The next is delivered, and the connection breaks before its reply. */
  loseReply(): void {
    this.#fault = 'lose reply'
  }

  /** The connection breaks and the next is still on its way, until `release`. */
  hold(): void {
    this.#fault = 'hold'
  }

  /** Delivers what was held, if anything was; true then. */
  release(): boolean {
    const deliver = this.#held
    this.#held = null
    deliver?.()
    return deliver !== null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #relay(client: Socket, server: Socket): void {
    let isCut = false
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    }
    client.on('data', (bytes) => {
      const fault = bytes.includes(this.#word) ? this.#fault : 'deliver'
      if (fault !== 'deliver') {
        this.#fault = 'deliver'
        isCut = true
      }
      if (fault === 'hold') {
        this.#held = () => void server.write(bytes)
        client.destroy()
      } else server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (isCut) client.destroy()
      else client.write(bytes)
    })
    client.on('close', () => {
      if (!isCut) server.destroy()
    })
    server.on('close', () => client.destroy())
  }
}
