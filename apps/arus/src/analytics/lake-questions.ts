import { ArusError } from '../errors.ts'
import type { TableName } from '../lake/table-names.ts'
import type { QueryEngine, QueryResult } from '../query/query-engine.ts'
import type { QueryEngineName, SqlDialect } from '../query/sql-dialect.ts'

/** After the first engine was away, the stand-in is asked for so long before the first is tried again. */
const AWAY_MS = 10_000

/** A question in the SQL of an engine. */
export interface WrittenQuestion {
  readonly sql: string
  /** Values of `$1`, `$2`, … */
  readonly params: readonly string[]
}

export interface LakeAnswer extends QueryResult {
  readonly engine: QueryEngineName
}

export interface LakeQuestionsOptions {
  readonly query: QueryEngine
  /** Asked while `query` cannot be reached; null where nobody can stand in. */
  readonly standIn: QueryEngine | null
  readonly now: () => number
}

/** Puts questions of analytics to the engine that is there, in its own SQL. */
export class LakeQuestions {
  readonly #options: LakeQuestionsOptions
  #awayUntilMs = Number.NEGATIVE_INFINITY

  constructor(options: LakeQuestionsOptions) {
    this.#options = options
  }

  /** Failures are those of the `QueryEngine`; `ENGINE_UNREACHABLE` only where nobody stands in. */
  async ask(write: (dialect: SqlDialect) => WrittenQuestion): Promise<LakeAnswer> {
    const { query, standIn, now } = this.#options
    if (standIn === null || now() >= this.#awayUntilMs) {
      try {
        return await this.#askOne(query, write)
      } catch (error) {
        if (standIn === null || !isUnreachable(error)) throw error
        this.#awayUntilMs = now() + AWAY_MS
      }
    }
    return this.#askOne(standIn, write)
  }

  /** The newest version of each table. */
  versions(tables: readonly TableName[]): Promise<Readonly<Record<string, number>>> {
    return this.#options.query.versions(tables)
  }

  async #askOne(engine: QueryEngine, write: (dialect: SqlDialect) => WrittenQuestion): Promise<LakeAnswer> {
    const { sql, params } = write(engine.dialect)
    return { ...(await engine.query(sql, { params })), engine: engine.dialect.engine }
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof ArusError && error.code === 'ENGINE_UNREACHABLE'
}
