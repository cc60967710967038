import type { GroupInfo } from '@arus/event-log'
import type { LagHistoryBody } from '../api-schema/index.ts'

/** How far back, and in which steps: one hour in steps of 10 s, one day in steps of a minute. */
export const LAG_SPANS = {
  hour: { stepMs: 10_000, stepCount: 360 },
  day: { stepMs: 60_000, stepCount: 1_440 },
} as const

export type LagSpan = keyof typeof LAG_SPANS

/** Partitions followed by themselves, of all groups; some 36 kB each. Groups are followed in any case. */
const PARTITIONS_MAX = 500

interface Lag {
  readonly lag: number
  readonly lagSeconds: number
}

interface Track {
  readonly group: string
  /** Null for the group as a whole. */
  readonly place: { readonly topic: string; readonly partition: number } | null
  readonly rings: Readonly<Record<LagSpan, LagRing>>
}

/** How far behind each group and partition was over the last day: the worst of each step. Memory is bounded. */
export class LagHistory {
  readonly #tracks = new Map<string, Track>()

  record(groups: readonly GroupInfo[], atMs: number): void {
    for (const { group, partitions } of groups) {
      const lags = partitions.map(({ lag, lagMs }) => ({ lag, lagSeconds: lagMs / 1000 }))
      this.#add({ group, place: null }, totalOf(lags), atMs)
      for (const [i, { topic, partition }] of partitions.entries())
        this.#add({ group, place: { topic, partition } }, lags[i]!, atMs)
    }
  }

  /** The steps up to now, the oldest first, from the first that anything is known of; null where nothing is. */
  body(span: LagSpan, nowMs: number): LagHistoryBody {
    const { stepMs, stepCount } = LAG_SPANS[span]
    const last = Math.floor(nowMs / stepMs)
    const tracks = [...this.#tracks.values()]
    const first = Math.min(last, ...tracks.map(({ rings }) => rings[span].oldest(last)))
    const steps = Array.from({ length: Math.min(stepCount, last - first + 1) }, (_, i) => first + i)
    const columns = ({ rings }: Track) => rings[span].read(steps)
    const wholes = tracks.filter(({ place }) => place === null)
    return {
      step_seconds: stepMs / 1000,
      times: steps.map((step) => step * stepMs),
      groups: wholes.map((whole) => ({
        group: whole.group,
        ...columns(whole),
        partitions: tracks.flatMap((track) =>
          track.group === whole.group && track.place !== null ? [{ ...track.place, ...columns(track) }] : [],
        ),
      })),
      generated_at: nowMs,
    }
  }

  #add({ group, place }: Pick<Track, 'group' | 'place'>, lag: Lag, atMs: number): void {
    const key = JSON.stringify([group, place?.topic, place?.partition])
    let track = this.#tracks.get(key)
    if (track === undefined) {
      if (place !== null && this.#tracks.size >= PARTITIONS_MAX) return
      track = { group, place, rings: { hour: new LagRing('hour'), day: new LagRing('day') } }
      this.#tracks.set(key, track)
    }
    track.rings.hour.add(lag, atMs)
    track.rings.day.add(lag, atMs)
  }
}

/** The newest steps of one track, in place. */
class LagRing {
  readonly #span: LagSpan
  readonly #steps: Float64Array
  readonly #lag: Float64Array
  readonly #seconds: Float32Array

  constructor(span: LagSpan) {
    const { stepCount } = LAG_SPANS[span]
    this.#span = span
    this.#steps = new Float64Array(stepCount).fill(Number.NaN)
    this.#lag = new Float64Array(stepCount)
    this.#seconds = new Float32Array(stepCount)
  }

  add({ lag, lagSeconds }: Lag, atMs: number): void {
    const step = Math.floor(atMs / LAG_SPANS[this.#span].stepMs)
    const slot = step % this.#steps.length
    const isSame = this.#steps[slot] === step
    this.#steps[slot] = step
    this.#lag[slot] = isSame ? Math.max(this.#lag[slot]!, lag) : lag
    this.#seconds[slot] = isSame ? Math.max(this.#seconds[slot]!, lagSeconds) : lagSeconds
  }

  /** The oldest step that is kept and not after `last`; infinite when there is none. */
  oldest(last: number): number {
    const kept = this.#steps.filter((step) => step <= last && step > last - this.#steps.length)
    return kept.reduce((oldest, step) => Math.min(oldest, step), Number.POSITIVE_INFINITY)
  }

  read(steps: readonly number[]): { lag: (number | null)[]; lag_seconds: (number | null)[] } {
    const slots = steps.map((step) =>
      this.#steps[step % this.#steps.length] === step ? step % this.#steps.length : -1,
    )
    return {
      lag: slots.map((slot) => (slot < 0 ? null : this.#lag[slot]!)),
      lag_seconds: slots.map((slot) => (slot < 0 ? null : Math.round(this.#seconds[slot]! * 1000) / 1000)),
    }
  }
}

function totalOf(lags: readonly Lag[]): Lag {
  return {
    lag: lags.reduce((sum, { lag }) => sum + lag, 0),
    lagSeconds: lags.reduce((most, { lagSeconds }) => Math.max(most, lagSeconds), 0),
  }
}
