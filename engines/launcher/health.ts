import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from './errors.ts'
import type { GuardedProcess } from './guarded-process.ts'

const INTERVAL_MS = 100

export interface HealthOptions {
  readonly name: string
  readonly deadlineMs: number
  readonly signal: AbortSignal
}

/**
 * Resolves once `isHealthy` does with true. Throws `ENGINE_START_FAILED`, with the end of its log, when the process ends
 * first or the deadline passes; a check that throws counts as not yet healthy. The process is stopped before it throws.
 */
export async function untilHealthy(
  engine: GuardedProcess,
  isHealthy: () => Promise<boolean>,
  options: HealthOptions,
): Promise<void> {
  const endsAt = performance.now() + options.deadlineMs
  while (!(await isHealthy().catch(() => false))) {
    const problem = engine.hasExited
      ? `ended with status ${await engine.exited}`
      : options.signal.aborted
        ? 'was stopped'
        : performance.now() > endsAt
          ? `did not answer within ${options.deadlineMs / 1000} s`
          : null
    if (problem !== null) {
      await engine.stop(0)
      throw new EngineError('ENGINE_START_FAILED', `${options.name} ${problem}:\n${engine.logTail()}`)
    }
    await Promise.race([sleep(INTERVAL_MS), engine.exited])
  }
}
