import type { Health } from '../api-schema/index.ts'

/** One slot of DESIGN §2 and how to ask whether it answers. */
export interface SlotProbe {
  readonly slot: string
  readonly adapter: string
  /** What it is connected to, without secrets. */
  readonly detail: string
  /** False, or an error that says why, when it does not do its work. */
  isHealthy(): Promise<boolean>
}

export type SlotHealth = Health['slots'][number]

const PROBE_TIMEOUT_MS = 2_000

/** Asks every slot at once; one that throws or does not answer in time (default 2 s) is down. */
export async function probeSlots(
  probes: readonly SlotProbe[],
  timeoutMs = PROBE_TIMEOUT_MS,
): Promise<SlotHealth[]> {
  return Promise.all(
    probes.map(async ({ slot, adapter, detail, isHealthy }) => {
      const problem = await problemOf(isHealthy, timeoutMs)
      return { slot, adapter, status: problem === null ? 'ok' : 'down', detail, problem }
    }),
  )
}

/** The worst of the parts: `down` only when the log is, since everything else has a fallback. */
export function overallStatus(slots: readonly SlotHealth[], hasModel: boolean): Health['status'] {
  if (slots.some((slot) => slot.slot === 'event log' && slot.status === 'down')) return 'down'
  return slots.every((slot) => slot.status === 'ok') && hasModel ? 'ok' : 'degraded'
}

/** Null when all is well. */
async function problemOf(isHealthy: () => Promise<boolean>, timeoutMs: number): Promise<string | null> {
  const deadline = Promise.withResolvers<string>()
  const timer = setTimeout(() => deadline.resolve(`No answer within ${timeoutMs / 1000} s`), timeoutMs)
  const asked = isHealthy().then((isWell) => (isWell ? null : 'It does not answer as it should'))
  try {
    return await Promise.race([asked, deadline.promise])
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
  }
}
