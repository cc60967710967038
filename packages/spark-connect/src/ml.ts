import { randomUUID } from 'node:crypto'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SparkConnectClient } from './client.ts'
import { askCommand } from './command.ts'
import { DataFrame } from './data-frame.ts'
import { SparkError } from './errors.ts'
import type { ExecuteOptions } from './execute.ts'
import { literalOf } from './literal.ts'
import { literalValue } from './literal-value.ts'
import { MlOperator_OperatorType as OperatorType } from './protocol/spark/connect/ml_common_pb.ts'
import type { MlCommandResult, MlCommandSchema } from './protocol/spark/connect/ml_pb.ts'

type Command = NonNullable<MessageInitShape<typeof MlCommandSchema>['command']>
type OperatorInfo = Extract<MlCommandResult['resultType'], { case: 'operatorInfo' }>['value']

/** Parameters of an algorithm by their names in Spark's documentation: `{ rank: 64, implicitPrefs: true }`. */
export type MlParams = Readonly<Record<string, unknown>>

/** Algorithms of Spark's MLlib. Which ones a server runs, it decides. */
export class Ml {
  readonly #client: SparkConnectClient

  constructor(client: SparkConnectClient) {
    this.#client = client
  }

  /** Trains on the server: `fit('org.apache.spark.ml.recommendation.ALS', { rank: 64 }, ratings)`. The model stays there. */
  async fit(
    estimator: string,
    params: MlParams,
    dataset: DataFrame,
    options: ExecuteOptions = {},
  ): Promise<MlModel> {
    const uid = `${estimator.split('.').at(-1)}_${randomUUID().replaceAll('-', '').slice(0, 12)}`
    const operator = { name: estimator, uid, type: OperatorType.ESTIMATOR }
    const value = { estimator: operator, params: paramsOf(params), dataset: dataset.relation }
    return this.#model(await sendMl(this.#client, { case: 'fit', value }, options), uid)
  }

  /** A model that was saved: `load('org.apache.spark.ml.recommendation.ALSModel', path)`. */
  async load(model: string, path: string, options: ExecuteOptions = {}): Promise<MlModel> {
    const operator = { name: model, uid: '', type: OperatorType.MODEL }
    return this.#model(await sendMl(this.#client, { case: 'read', value: { operator, path } }, options), '')
  }

  #model(result: MlCommandResult | undefined, uid: string): MlModel {
    const info = result?.resultType.case === 'operatorInfo' ? result.resultType.value : undefined
    return new MlModel(this.#client, refOf(info), info?.uid ?? uid)
  }
}

const RELEASE_TIMEOUT_MS = 10_000

/** A model in the server's memory, until it is released or the session ends. */
export class MlModel implements AsyncDisposable {
  readonly #client: SparkConnectClient
  readonly uid: string
  readonly #id: string

  constructor(client: SparkConnectClient, id: string, uid: string) {
    this.#client = client
    this.uid = uid
    this.#id = id
  }

  /** What the model says of rows, as columns added to them. */
  transform(input: DataFrame, params: MlParams = {}): DataFrame {
    const operator = { case: 'objRef' as const, value: { id: this.#id } }
    const value = { operator, input: input.relation, params: paramsOf(params) }
    return this.#frame({ case: 'transform', value })
  }

  /** A member of the model that is a DataFrame: `frame('itemFactors')`, `frame('recommendForAllUsers', 10)`. */
  frame(method: string, ...args: readonly unknown[]): DataFrame {
    return this.#frame({ case: 'fetch', value: this.#fetch(method, args) })
  }

  /** A member that is a value: `attribute('rank')`. */
  async attribute(method: string, options: ExecuteOptions = {}): Promise<unknown> {
    const result = await sendMl(this.#client, { case: 'fetch', value: this.#fetch(method, []) }, options)
    if (result?.resultType.case === 'param') return literalValue(result.resultType.value)
    if (result?.resultType.case === 'summary') return result.resultType.value
    throw new SparkError('SPARK_PROTOCOL', `The server answered no value for ${method}`)
  }

  async save(path: string, options: ExecuteOptions & { readonly overwrite?: boolean } = {}): Promise<void> {
    const { overwrite = false, ...rest } = options
    const type = { case: 'objRef' as const, value: { id: this.#id } }
    await sendMl(this.#client, { case: 'write', value: { type, path, shouldOverwrite: overwrite } }, rest)
  }

  /** Takes the model out of the server's memory. */
  async release(options: ExecuteOptions = {}): Promise<void> {
    await sendMl(this.#client, { case: 'delete', value: { objRefs: [{ id: this.#id }] } }, options)
  }

  /** A server that is gone has no model left to release, and what went wrong before is what must be told. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release({ signal: AbortSignal.timeout(RELEASE_TIMEOUT_MS) }).catch(() => {})
  }

  #fetch(method: string, args: readonly unknown[]) {
    const list = args.map((value) => {
      if (value instanceof DataFrame) return { argsType: { case: 'input' as const, value: value.relation } }
      return { argsType: { case: 'param' as const, value: literalOf(value) } }
    })
    return { objRef: { id: this.#id }, methods: [{ method, args: list }] }
  }

  #frame(mlType: MlRelationType): DataFrame {
    return new DataFrame(this.#client, { relType: { case: 'mlRelation', value: { mlType } } })
  }
}

type MlRelationType = NonNullable<
  Extract<NonNullable<DataFrame['relation']['relType']>, { case: 'mlRelation' }>['value']['mlType']
>

async function sendMl(
  client: SparkConnectClient,
  command: Command,
  options: ExecuteOptions,
): Promise<MlCommandResult | undefined> {
  return askCommand(client, {
    command: { case: 'mlCommand', value: { command } },
    answer: 'mlCommandResult',
    options,
  })
}

function paramsOf(params: MlParams) {
  return {
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, literalOf(value)])),
  }
}

function refOf(info: OperatorInfo | undefined): string {
  if (info?.type.case === 'objRef') return info.type.value.id
  throw new SparkError('SPARK_PROTOCOL', 'The server did not say which model it made')
}
