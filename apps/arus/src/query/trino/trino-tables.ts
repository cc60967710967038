import type { TrinoSettings } from '../../config/trino-settings.ts'
import type { Lake } from '../../lake/lake.ts'
import type { TableName } from '../../lake/table-names.ts'
import { TrinoClient, TrinoError } from './trino-client.ts'

const REGISTER_MS_MAX = 60_000
/** Tables that are made later are looked for again after so long. */
const LOOK_AGAIN_MS = 60_000

/** Sees to it that Trino knows the lake's tables by their names, at the places where they are. */
export class TrinoTables {
  /** To ask of them. */
  readonly client: TrinoClient
  readonly #lake: Lake
  readonly #catalog: string
  readonly #now: () => number
  readonly #known = new Set<string>()
  #registering: Promise<void> | null = null
  #registeredAtMs = Number.NEGATIVE_INFINITY

  constructor({
    settings,
    lake,
    now,
  }: {
    readonly settings: TrinoSettings
    readonly lake: Lake
    readonly now: () => number
  }) {
    this.client = new TrinoClient(settings)
    this.#lake = lake
    this.#catalog = settings.catalog
    this.#now = now
  }

  /** Resolves when every table that exists is known there; costs nothing while that was so a minute ago, and of `needed` always. */
  async ensure(needed: readonly TableName[] = []): Promise<void> {
    const isRecent = this.#now() - this.#registeredAtMs < LOOK_AGAIN_MS
    if (isRecent && needed.every((name) => this.#known.has(name))) return
    this.#registering ??= this.#register().finally(() => {
      this.#registering = null
    })
    await this.#registering
  }

  async #register(): Promise<void> {
    const unknown = (await this.#lake.describe()).filter(({ name }) => !this.#known.has(name))
    if (unknown.length > 0) {
      for (const schema of new Set(unknown.map(({ name }) => schemaOf(name))))
        await this.#run(`CREATE SCHEMA IF NOT EXISTS ${this.#catalog}.${schema}`)
      const there = await this.#run(
        `SELECT table_schema || '.' || table_name FROM ${this.#catalog}.information_schema.tables`,
      )
      const taken = new Set(there.map(([name]) => name))
      for (const { name } of unknown) {
        await this.#registerOne(name, taken.has(name))
        this.#known.add(name)
      }
    }
    this.#registeredAtMs = this.#now()
  }

  async #registerOne(name: TableName, isTaken: boolean): Promise<void> {
    const schema = schemaOf(name)
    const location = trinoLocation((await this.#lake.table(name)).storage.location)
    if (isTaken && (await this.#locationOf(name)) === location) return
    const names = `schema_name => '${schema}', table_name => '${name.slice(schema.length + 1)}'`
    // Another Arus may be quicker at either.
    if (isTaken)
      await this.#run(`CALL ${this.#catalog}.system.unregister_table(${names})`).catch(passIfRefused)
    await this.#run(
      `CALL ${this.#catalog}.system.register_table(${names}, table_location => '${location.replaceAll("'", "''")}')`,
    ).catch(async (error: unknown) => {
      if ((await this.#locationOf(name)) !== location) throw error
    })
  }

  /** '' when nothing is where the table should be. */
  async #locationOf(name: TableName): Promise<string> {
    const [[text] = []] = await this.#run(`SHOW CREATE TABLE ${this.#catalog}.${name}`).catch(passIfRefused)
    const [, after = ''] = String(text).split("location = '", 2)
    return after.slice(0, Math.max(0, after.indexOf("'")))
  }

  #run(sql: string): Promise<(readonly unknown[])[]> {
    return this.client.rows(sql, { timeoutMs: REGISTER_MS_MAX })
  }
}

/** No rows where Trino refused the statement; anything else is thrown on. */
function passIfRefused(error: unknown): [] {
  if (error instanceof TrinoError) return []
  throw error
}

/** A folder is told as Trino's local file system names it, whose root must be `/` (`local.location`). */
function trinoLocation(location: string): string {
  return location.startsWith('s3://') ? location.replace(/\/$/, '') : `local://${location}`
}

function schemaOf(name: TableName): string {
  return name.slice(0, name.indexOf('.'))
}
