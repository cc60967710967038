import type { SqlResult } from '../../api-schema/lake.ts'
import type { SqlAnswer } from '../../query/lake-sql.ts'

/** An answer as the text of one `SqlResult`, piece by piece: the rows are never held. */
export async function* jsonBody(answer: SqlAnswer): AsyncGenerator<Uint8Array> {
  const columns = answer.columns.map(({ name, type }) => ({ name, type }))
  yield Buffer.from(`{"columns":${JSON.stringify(columns)},"rows":`)
  yield* answer.body
  const { rowCount, isTruncated, nextCursor, warnings, tookMs } = answer
  const facts: Omit<SqlResult, 'columns' | 'rows'> = {
    row_count: rowCount,
    truncated: isTruncated,
    next_cursor: nextCursor,
    warnings: [...warnings],
    table_versions: answer.tableVersions,
    took_ms: Math.round(tookMs * 1_000) / 1_000,
  }
  yield Buffer.from(`,${JSON.stringify(facts).slice(1)}`)
}
