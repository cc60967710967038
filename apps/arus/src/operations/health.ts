import type { Health } from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'

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

/** Asks every slot at once; one that throws or does not answer within 2 s is down, and its detail says why where it is known. */
export async function probeSlots(probes: readonly SlotProbe[]): Promise<SlotHealth[]> {
  return Promise.all(
    probes.map(async ({ slot, adapter, detail, isHealthy }) => {
      const answer = await answerInTime(isHealthy)
      const why = answer instanceof ArusError ? ` (${answer.message})` : ''
      return { slot, adapter, status: answer === true ? 'ok' : 'down', detail: detail + why }
    }),
  )
}

/** The worst of the parts: `down` only when the log is, since everything else has a fallback. */
export function overallStatus(slots: readonly SlotHealth[], hasModel: boolean): Health['status'] {
  if (slots.some((slot) => slot.slot === 'event log' && slot.status === 'down')) return 'down'
  return slots.every((slot) => slot.status === 'ok') && hasModel ? 'ok' : 'degraded'
}

/** What it says, or threw; false when it says nothing in time. */
async function answerInTime(isHealthy: () => Promise<boolean>): Promise<unknown> {
  const deadline = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => deadline.resolve(false), PROBE_TIMEOUT_MS)
  try {
    return await Promise.race([isHealthy(), deadline.promise])
  } catch (error) {
    return error
  } finally {
    clearTimeout(timer)
  }
}
