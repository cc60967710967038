import type { SparkConnectClient } from './client.ts'
import { SparkError } from './errors.ts'

/** The settings of a session. */
export class RuntimeConfig {
  readonly #client: SparkConnectClient

  constructor(client: SparkConnectClient) {
    this.#client = client
  }

  /** The value of a setting. Throws `SPARK_FAILED` with the class `SQL_CONF_NOT_FOUND` when it has none. */
  async get(key: string): Promise<string> {
    const pairs = await this.#send({ case: 'get', value: { keys: [key] } })
    const value = pairs[0]?.value
    if (value === undefined) throw new SparkError('SPARK_PROTOCOL', `The server answered no value of ${key}`)
    return value
  }

  /** The value of a setting, or `otherwise` when it has none. */
  async getOr(key: string, otherwise: string): Promise<string> {
    const pairs = await this.#send({ case: 'getWithDefault', value: { pairs: [{ key, value: otherwise }] } })
    return pairs[0]?.value ?? otherwise
  }

  async set(settings: Readonly<Record<string, string | number | boolean>>): Promise<void> {
    const pairs = Object.entries(settings).map(([key, value]) => ({ key, value: String(value) }))
    await this.#send({ case: 'set', value: { pairs } })
  }

  /** Back to Spark's defaults. */
  async unset(...keys: readonly string[]): Promise<void> {
    await this.#send({ case: 'unset', value: { keys: [...keys] } })
  }

  async #send(
    opType:
      | { case: 'get' | 'unset'; value: { keys: string[] } }
      | { case: 'set' | 'getWithDefault'; value: { pairs: { key: string; value: string }[] } },
  ): Promise<readonly { readonly key: string; readonly value?: string | undefined }[]> {
    const { stub } = this.#client
    const response = await this.#client.call((call) =>
      stub.config({ ...this.#client.context, operation: { opType } }, call),
    )
    return response.pairs
  }
}
