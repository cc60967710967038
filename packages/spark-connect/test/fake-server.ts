import { once } from 'node:events'
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { ErrorInfoSchema } from '../src/protocol/google/rpc/error_details_pb.ts'
import {
  type ExecutePlanRequest,
  type ExecutePlanResponseSchema,
  SparkConnectService,
} from '../src/protocol/spark/connect/base_pb.ts'

type Response = MessageInitShape<typeof ExecutePlanResponseSchema>
type ResponseType = NonNullable<Response['responseType']>

interface Operation {
  readonly answers: readonly ResponseType[]
}

/** What happens to a stream of answers. */
export type Fault =
  /** The connection breaks after so many answers of the stream. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The server ends the stream after so many, as it does with long ones. */
  | { readonly kind: 'end'; readonly after: number }
  /** The connection breaks and the server forgets what ran. */
  | { readonly kind: 'restart'; readonly after: number }
  /** The connection breaks before the request has arrived. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'error'; readonly errorClass: string }
  | { readonly kind: 'none' }

/**
 * A server that speaks Spark Connect and keeps the protocol's promises about operations (attached to by id, from behind an
 * answer on, known until released), whose answers are given, and whose streams fail as told, one fault each.
 */
export class FakeServer implements AsyncDisposable {
  readonly calls: string[] = []
  readonly operations = new Map<string, Operation>()
  /** Times that a plan was started. */
  startCount = 0
  /** Answers handed to the connection. */
  sentCount = 0
  readonly faults: Fault[] = []
  answers: readonly ResponseType[] = []
  token: string | null = null
  version = '4.2.1'
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()

  private constructor() {
    this.#server = createServer(
      connectNodeAdapter({
        routes: (router) => {
          router.service(SparkConnectService, {
            analyzePlan: (_, context) => this.#analyze(context),
            executePlan: (request, context) => this.#execute(request, context),
            reattachExecute: (request, context) => {
              this.calls.push('reattach')
              return this.#stream(request.operationId, request.lastResponseId, context)
            },
            releaseExecute: (request) => {
              if (request.release.case === 'releaseAll') {
                this.calls.push('releaseAll')
                this.operations.delete(request.operationId)
              }
              return {}
            },
            interrupt: () => {
              this.calls.push('interrupt')
              return {}
            },
            releaseSession: () => ({}),
          })
        },
      }),
    )
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => {})
    })
  }

  static async start(): Promise<FakeServer> {
    const server = new FakeServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get remote(): string {
    return `sc://127.0.0.1:${this.port}/${this.token === null ? '' : `;token=${this.token}`}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #analyze(context: HandlerContext) {
    const wanted = this.token === null ? null : `Bearer ${this.token}`
    if (context.requestHeader.get('authorization') !== wanted)
      throw new ConnectError('Invalid authentication token', Code.Unauthenticated)
    return { result: { case: 'sparkVersion' as const, value: { version: this.version } } }
  }

  async *#execute(request: ExecutePlanRequest, context: HandlerContext): AsyncGenerator<Response> {
    this.calls.push('execute')
    const id = request.operationId ?? ''
    if (this.faults[0]?.kind === 'lost') {
      this.faults.shift()
      await this.#cut()
    }
    if (this.operations.has(id)) throw failure('INVALID_HANDLE.OPERATION_ALREADY_EXISTS')
    this.startCount++
    this.operations.set(id, { answers: [...this.answers, { case: 'resultComplete', value: {} }] })
    yield* this.#stream(id, undefined, context)
  }

  async *#stream(id: string, last: string | undefined, { signal }: HandlerContext): AsyncGenerator<Response> {
    const operation = this.operations.get(id)
    if (operation === undefined) throw failure('INVALID_HANDLE.OPERATION_NOT_FOUND')
    const fault = this.faults.shift() ?? { kind: 'none' }
    if (fault.kind === 'error') throw failure(fault.errorClass)
    const from = last === undefined ? 0 : Number(last) + 1
    for (const [index, responseType] of operation.answers.entries()) {
      if (index < from) continue
      if ('after' in fault && index - from === fault.after) {
        if (fault.kind === 'end') return
        if (fault.kind === 'restart') this.operations.clear()
        // What was written before must have left.
        await sleep(20)
        await this.#cut()
      }
      if (signal.aborted) return
      this.sentCount++
      yield { operationId: id, responseId: String(index), serverSideSessionId: 's', responseType }
    }
  }

  /** Never resolves: the stream it was called in has no reader any more. */
  #cut(): Promise<never> {
    for (const session of this.#sessions) session.destroy()
    return new Promise(() => {})
  }
}

function failure(errorClass: string): ConnectError {
  const value = create(ErrorInfoSchema, { metadata: { errorClass } })
  return new ConnectError(`[${errorClass}] told by the fake`, Code.Internal, undefined, [
    { desc: ErrorInfoSchema, value },
  ])
}
