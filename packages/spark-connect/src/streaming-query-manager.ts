import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SparkConnectClient } from './client.ts'
import { askCommand } from './command.ts'
import type { ExecuteOptions } from './execute.ts'
import type {
  StreamingQueryManagerCommandResult,
  StreamingQueryManagerCommandSchema,
} from './protocol/spark/connect/commands_pb.ts'
import { StreamingQuery } from './streaming-query.ts'

type Command = NonNullable<MessageInitShape<typeof StreamingQueryManagerCommandSchema>['command']>

/** The streams of a session. */
export class StreamingQueryManager {
  readonly #client: SparkConnectClient

  constructor(client: SparkConnectClient) {
    this.#client = client
  }

  /** Those that run. */
  async active(options: ExecuteOptions = {}): Promise<readonly StreamingQuery[]> {
    const result = await this.#send({ case: 'active', value: true }, options)
    if (result?.resultType.case !== 'active') return []
    return result.resultType.value.activeQueries.flatMap(({ id, name }) =>
      id === undefined ? [] : [new StreamingQuery(this.#client, id, name)],
    )
  }

  /** The one that runs under an id; null when there is none. */
  async get(id: string, options: ExecuteOptions = {}): Promise<StreamingQuery | null> {
    const result = await this.#send({ case: 'getQuery', value: id }, options)
    if (result?.resultType.case !== 'query' || result.resultType.value.id === undefined) return null
    return new StreamingQuery(this.#client, result.resultType.value.id, result.resultType.value.name)
  }

  async #send(
    command: Command,
    options: ExecuteOptions,
  ): Promise<StreamingQueryManagerCommandResult | undefined> {
    return askCommand(this.#client, {
      command: { case: 'streamingQueryManagerCommand', value: { command } },
      answer: 'streamingQueryManagerCommandResult',
      options,
    })
  }
}
