import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Passes connections on to an engine, until it is shut: then the engine is as good as gone, for those who go through it. */
export class TcpGate implements AsyncDisposable {
  readonly #server: Server
  readonly #open = new Set<Socket>()
  #isShut = false

  private constructor({ hostname, port }: { readonly hostname: string; readonly port: number }) {
    this.#server = createServer((client) => {
      if (this.#isShut) return void client.resetAndDestroy()
      const engine = connect(port, hostname)
      for (const [one, other] of [
        [client, engine],
        [engine, client],
      ] as const) {
        this.#open.add(one)
        one.setNoDelay(true)
        one.pipe(other)
        one.on('error', () => other.destroy())
        one.on('close', () => {
          this.#open.delete(one)
          other.destroy()
        })
      }
    })
  }

  static async before(target: { readonly hostname: string; readonly port: number }): Promise<TcpGate> {
    const gate = new TcpGate(target)
    gate.#server.listen(0, '127.0.0.1')
    await once(gate.#server, 'listening')
    return gate
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Breaks every connection off, and refuses new ones. */
  shut(): void {
    this.#isShut = true
    for (const socket of this.#open) socket.resetAndDestroy()
  }

  open(): void {
    this.#isShut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
