import type { Health } from '../api-schema/index.ts'

/** One slot of DESIGN §2 and how to ask whether it answers. */
export interface SlotProbe {
  readonly slot: string
  readonly adapter: string
  /** What it is connected to, without secrets. */
  readonly detail: string
  isHealthy(): Promise<boolean>
}

export type SlotHealth = Health['slots'][number]

const PROBE_TIMEOUT_MS = 2_000

/** Asks every slot at once; one that throws or does not answer in time is down, and its detail says why. */
export async function probeSlots(
  probes: readonly SlotProbe[],
  timeoutMs: number = PROBE_TIMEOUT_MS,
): Promise<SlotHealth[]> {
  return Promise.all(
    probes.map(async ({ slot, adapter, detail, isHealthy }) => {
      const fault = await faultOf(isHealthy, timeoutMs)
      const status = fault === null ? ('ok' as const) : ('down' as const)
      return {
        slot,
        adapter,
        status,
        detail: fault === null || fault === '' ? detail : `${detail}: ${fault}`,
      }
    }),
  )
}

/** The worst of the parts: `down` only when the log is, since everything else has a fallback. */
export function overallStatus(slots: readonly SlotHealth[], hasModel: boolean): Health['status'] {
  if (slots.some((slot) => slot.slot === 'event log' && slot.status === 'down')) return 'down'
  return slots.every((slot) => slot.status === 'ok') && hasModel ? 'ok' : 'degraded'
}

/** Null for a slot that answers; else why it does not, as far as is known. */
async function faultOf(isHealthy: () => Promise<boolean>, timeoutMs: number): Promise<string | null> {
  const deadline = Promise.withResolvers<string>()
  const timer = setTimeout(() => deadline.resolve(`no answer within ${timeoutMs / 1000} s`), timeoutMs)
  try {
    return await Promise.race([isHealthy().then((isOk) => (isOk ? null : '')), deadline.promise])
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
  }
}
