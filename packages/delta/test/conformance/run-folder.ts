import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { ConformanceCase } from './conformance-case.ts'
import { judge, type Verdict } from './judge.ts'
import { TableReader } from './table-reader.ts'

/** Longest time the tables of one archive may take. */
export const TIME_LIMIT_MS = 60_000

/** The folder to test: `DELTA_TABLES`, from where the command was given, or the one beside the repository. */
export function tablesFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { DELTA_TABLES, ARUS_SHARED_DATA, INIT_CWD } = environment
  if (DELTA_TABLES) return resolve(INIT_CWD ?? process.cwd(), DELTA_TABLES)
  const shared = ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../../../../shared/data')
  return resolve(shared, 'delta-tables')
}

/** Reads and judges all cases, as many at a time as there are processors; `report` hears of each as it is done. */
export async function runCases(
  cases: readonly ConformanceCase[],
  report: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  const waiting = cases.values()
  const work = async () => {
    using reader = new TableReader({ timeLimitMs: TIME_LIMIT_MS })
    for (const one of waiting) {
      const verdict = judge(one, await reader.read(one))
      verdicts.push(verdict)
      report(verdict)
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), cases.length) }, work))
  return verdicts
}
