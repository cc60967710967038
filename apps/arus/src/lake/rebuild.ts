import type { EventLog } from '@arus/event-log'
import type { OnProgress } from '../progress.ts'
import type { LakeTopics } from './bronze-routes.ts'
import { checkQuality } from './check-quality.ts'
import type { Compute } from './computation.ts'
import type { RefinedTable } from './derived-table.ts'
import type { Lake } from './lake.ts'
import { startLakeWriter } from './lake-writer.ts'
import { rebuildBronze } from './rebuild-bronze.ts'
import { DERIVED_TABLES, refine } from './refine.ts'

export interface RebuildOptions {
  readonly lake: Lake
  readonly log: EventLog
  readonly topics: LakeTopics
  /** Where silver and gold are computed. Default DuckDB in this process. */
  readonly compute?: Compute | undefined
  /** `log`: bronze anew too, as far back as the log reaches. `bronze`: silver and gold only. */
  readonly from: 'bronze' | 'log'
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/**
 * Computes silver and gold anew, from bronze or from the log, and checks what was written. The same log gives the same tables, to the row. Each table is replaced by one commit, so one that was not reached stays as
 * it was, and the rebuild can be started again. Nothing else may write the lake meanwhile.
 */
export async function rebuildLake(options: RebuildOptions): Promise<readonly RefinedTable[]> {
  const { lake, log, topics, compute, from, onProgress, signal } = options
  // What nobody copied yet belongs to the result, whatever it is made from.
  await startLakeWriter({ log, lake, topics }).stop()
  if (from === 'log') await rebuildBronze({ lake, log, topics, ...optional({ onProgress, signal }) })
  let done = 0
  const { tables } = await refine(lake, {
    isRebuild: true,
    compute,
    onTable: (table) => {
      signal?.throwIfAborted()
      onProgress?.({ step: `Computing ${table}`, done: done++, total: DERIVED_TABLES.length, unit: 'tables' })
    },
  })
  await checkQuality(lake)
  onProgress?.({ step: 'Rebuilt', done, total: DERIVED_TABLES.length, unit: 'tables' })
  return tables
}

function optional(values: { onProgress: OnProgress | undefined; signal: AbortSignal | undefined }) {
  return {
    ...(values.onProgress === undefined ? {} : { onProgress: values.onProgress }),
    ...(values.signal === undefined ? {} : { signal: values.signal }),
  }
}
