import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { EngineError } from './errors.ts'

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly type: string; readonly message: string }
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: EngineError) => void
}

/** Asks a worker of `engines/workers`: JSON lines over its Unix socket, answered in order. */
export class WorkerClient implements Disposable {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('close', () => this.#failAll('The worker closed the connection'))
    createInterface({ input: socket }).on('line', (line) => this.#settle(JSON.parse(line) as Answer))
  }

  static async connect(path: string): Promise<WorkerClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    return new WorkerClient(socket)
  }

  /** The result of an operation. Throws `ENGINE_REQUEST_FAILED` with the engine's own words. */
  request(operation: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new EngineError('ENGINE_REQUEST_FAILED', 'The connection to the worker is closed'))
        return
      }
      this.#waiting.set(id, { resolve, reject })
      this.#socket.write(`${JSON.stringify({ ...parameters, id, operation })}\n`)
    })
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #settle({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new EngineError('ENGINE_REQUEST_FAILED', `${error.type}: ${error.message}`))
  }

  #failAll(message: string): void {
    for (const { reject } of this.#waiting.values()) reject(new EngineError('ENGINE_REQUEST_FAILED', message))
    this.#waiting.clear()
  }
}
