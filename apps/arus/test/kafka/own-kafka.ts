import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatKafka, type KafkaAccess, kafka, startKafka } from '../../../../engines/kafka.ts'
import type { StartContext } from '../../../../engines/launcher/engine.ts'
import type { GuardedProcess } from '../../../../engines/launcher/guarded-process.ts'
import { installEngine } from '../../../../engines/launcher/installation.ts'
import { pythonOf } from '../../../../engines/launcher/python.ts'
import { freePort } from '../end-to-end/running-arus.ts'

/** A broker of the test's own, which it may kill. */
export class OwnKafka {
  readonly #context: StartContext
  readonly #access: KafkaAccess
  #broker: GuardedProcess

  private constructor(context: StartContext, access: KafkaAccess, broker: GuardedProcess) {
    this.#context = context
    this.#access = access
    this.#broker = broker
  }

  static async start(): Promise<OwnKafka> {
    const { signal } = new AbortController()
    const folder = await installEngine(kafka, { log: () => {}, signal })
    const runFolder = mkdtempSync(join(tmpdir(), 'arus-own-kafka-'))
    const context = { folder, runFolder, environment: {}, signal }
    const ports = { plain: await freePort(), controller: await freePort(), secure: await freePort() }
    const access = { ports, password: 'not-a-secret' }
    await formatKafka(context, access)
    return new OwnKafka(context, access, await startKafka(context, access))
  }

  get server(): string {
    return `127.0.0.1:${this.#access.ports.plain}`
  }

  get libs(): string {
    return join(this.#context.folder, 'libs')
  }

  get python(): string {
    return pythonOf(this.#context.folder)
  }

  /** As when its machine loses power, but for what the disk was told. */
  async kill(): Promise<void> {
    await this.#broker.stop(0)
  }

  /** The same broker, on what it held. */
  async startAgain(): Promise<void> {
    this.#broker = await startKafka(this.#context, this.#access)
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#context.runFolder, { recursive: true, force: true, maxRetries: 5 })
  }
}
