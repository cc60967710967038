import { ArusError } from '../../errors.ts'
import type { Lake } from '../../lake/lake.ts'
import type { TableName } from '../../lake/table-names.ts'
import type { QueryEngine, QueryOptions, QueryResult } from '../query-engine.ts'
import { tablesIn, withTables } from '../tables-in.ts'
import { Leash } from './leash.ts'
import type { TrinoColumn } from './trino-client.ts'
import { trinoDialect } from './trino-dialect.ts'
import { trinoFailure } from './trino-failure.ts'
import type { TrinoTables } from './trino-tables.ts'
import { literal, plainValue } from './trino-values.ts'

export interface TrinoQueryEngineOptions {
  readonly tables: TrinoTables
  readonly lake: Lake
}

const ROW_LIMIT = 10_000
/** A small Trino takes ten times as long as DuckDB beside its data. */
const TIMEOUT_MS = 120_000

/** Questions of Arus itself by Trino. Each table is read at the version that the answer names. */
export function openTrinoQueryEngine(options: TrinoQueryEngineOptions): QueryEngine {
  return new TrinoQueryEngine(options)
}

class TrinoQueryEngine implements QueryEngine {
  readonly dialect = trinoDialect
  readonly #tables: TrinoTables
  readonly #lake: Lake

  constructor({ tables, lake }: TrinoQueryEngineOptions) {
    this.#tables = tables
    this.#lake = lake
  }

  async query(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    const { params = [], rowLimit = ROW_LIMIT, timeoutMs = TIMEOUT_MS, signal } = options
    if (signal?.aborted) throw new ArusError('CANCELLED', 'The query was cancelled')
    const leash = new Leash({ timeoutMs, ...(signal === undefined ? {} : { signal }) })
    try {
      const names = tablesIn(sql)
      const table_versions = await this.versions(names)
      await this.#tables.ensure(names)
      const pinned = withTables(sql, (name) => `${name} FOR VERSION AS OF ${table_versions[name]}`)
      const text = pinned.replace(/\$(\d{1,3})\b/g, (_, place: string) =>
        literal(params[Number(place) - 1] ?? null),
      )
      const rows: unknown[][] = []
      let columns: readonly TrinoColumn[] = []
      for await (const page of this.#tables.client.pages(text, leash.options())) {
        columns = page.columns ?? columns
        for (const row of page.rows) rows.push(row.map((value, i) => plainValue(columns[i], value)))
        if (rows.length > rowLimit) break
      }
      return {
        columns: columns.map(({ name, type }) => ({ name, type })),
        rows: rows.slice(0, rowLimit),
        truncated: rows.length > rowLimit,
        took_ms: leash.elapsedMs(),
        table_versions,
      }
    } catch (error) {
      throw trinoFailure(error)
    } finally {
      leash.end()
    }
  }

  async versions(names: readonly TableName[]): Promise<Readonly<Record<string, number>>> {
    const versions: Record<string, number> = {}
    for (const name of names) versions[name] = (await (await this.#lake.table(name)).snapshot()).version
    return versions
  }

  async isHealthy(): Promise<boolean> {
    const [[one] = []] = await this.#tables.client.rows('SELECT 1', { timeoutMs: 5_000 })
    return one === 1
  }

  async close(): Promise<void> {}
}
