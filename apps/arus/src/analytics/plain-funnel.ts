/** Funnels once more, as a walk over each shopper's events: what the SQL is held against in tests. */
import type { Funnel } from '../api-schema/index.ts'
import type { FunnelOptions } from './funnel.ts'
import { count, groups, medianOf, over, type SilverEvent } from './plain-figures.ts'

const STEPS = ['view', 'click', 'add_to_cart', 'purchase'] as const

/** An attempt of a shopper: when each step it came to was reached. */
interface Attempt {
  readonly began: SilverEvent
  readonly reachedAt: readonly number[]
}

type Figures = Pick<Funnel, 'steps' | 'first_to_last' | 'groups' | 'other'>

/** The part of a funnel that follows from the order of events. */
export function plainFunnel(all: readonly SilverEvent[], options: FunnelOptions): Figures {
  const { where } = options
  const events =
    where === undefined ? all : all.filter((event) => propertyOf(event, where.property) === where.value)
  const asked = options.steps ?? STEPS
  const steps = options.steps ?? STEPS.filter((step) => count(events, step) > 0)
  const best = [...groups(events, ({ shopper }) => shopper).values()].flatMap((own) => {
    const attempt = bestAttempt(inOrder(own), steps, options)
    return attempt === null ? [] : [attempt]
  })
  return {
    steps: stepsOf(asked, steps, best),
    first_to_last:
      steps.length === asked.length
        ? timesOf(best.flatMap(({ reachedAt }) => between(reachedAt, 0, steps.length - 1)))
        : null,
    ...groupsOf(asked, steps, best, options),
  }
}

function propertyOf({ category, properties }: SilverEvent, property: string): string | null {
  if (property === 'category') return category
  const value = properties?.[property]
  return value === undefined || value === null ? null : String(value)
}

function inOrder(events: readonly SilverEvent[]): SilverEvent[] {
  return [...events].sort((a, b) => a.ts - b.ts || a.log_offset - b.log_offset)
}

function bestAttempt(
  own: readonly SilverEvent[],
  steps: readonly string[],
  { order = 'strict', windowMs = Number.POSITIVE_INFINITY }: FunnelOptions,
): Attempt | null {
  let best: Attempt | null = null
  const ofSteps = own.filter(({ action }) => steps.includes(action))
  for (const [i, began] of ofSteps.entries()) {
    if (order !== 'any' && began.action !== steps[0]) continue
    const later = ofSteps.filter(({ ts }) => ts >= began.ts && ts - began.ts <= windowMs)
    const reachedAt =
      order === 'exact'
        ? walkExactly(
            ofSteps.slice(i).filter(({ ts }) => ts - began.ts <= windowMs),
            steps,
          )
        : order === 'any'
          ? gather(later, steps)
          : walk(later, steps)
    if (reachedAt.length > (best?.reachedAt.length ?? 0)) best = { began, reachedAt }
  }
  return best
}

function walk(later: readonly SilverEvent[], steps: readonly string[]): number[] {
  const reachedAt: number[] = []
  for (const step of steps) {
    const next = later.find(({ action, ts }) => action === step && ts >= (reachedAt.at(-1) ?? 0))
    if (next === undefined) break
    reachedAt.push(next.ts)
  }
  return reachedAt
}

function walkExactly(events: readonly SilverEvent[], steps: readonly string[]): number[] {
  const reachedAt: number[] = []
  for (const { action, ts } of events) {
    if (action === steps[reachedAt.length - 1]) continue
    if (action !== steps[reachedAt.length]) break
    reachedAt.push(ts)
  }
  return reachedAt
}

function gather(later: readonly SilverEvent[], steps: readonly string[]): number[] {
  const reachedAt: number[] = []
  for (const step of steps) {
    const done = later.find(({ action }) => action === step)
    if (done === undefined) break
    reachedAt.push(Math.max(done.ts, reachedAt.at(-1) ?? 0))
  }
  return reachedAt
}

function stepsOf(
  asked: readonly string[],
  steps: readonly string[],
  attempts: readonly Attempt[],
): Funnel['steps'] {
  const shoppersAt = (i: number) =>
    i < 0 ? 0 : attempts.filter(({ reachedAt }) => reachedAt.length > i).length
  const shoppers = asked.map((step) => shoppersAt(steps.indexOf(step)))
  return asked.map((step, i) => {
    const at = steps.indexOf(step)
    return {
      step,
      shoppers: shoppers[i] ?? 0,
      of_first: over(shoppers[i] ?? 0, shoppers[0] ?? 0),
      of_previous: i === 0 ? null : over(shoppers[i] ?? 0, shoppers[i - 1] ?? 0),
      from_previous: timesOf(
        at < 1 ? [] : attempts.flatMap(({ reachedAt }) => between(reachedAt, at - 1, at)),
      ),
    }
  })
}

function groupsOf(
  asked: readonly string[],
  steps: readonly string[],
  attempts: readonly Attempt[],
  { splitBy, groupLimit = 10 }: FunnelOptions,
): Pick<Funnel, 'groups' | 'other'> {
  if (splitBy === undefined) return { groups: [], other: null }
  const values = new Map<string | null, Attempt[]>()
  for (const attempt of attempts) {
    const value = propertyOf(attempt.began, splitBy)
    values.set(value, [...(values.get(value) ?? []), attempt])
  }
  const ranked = [...values].sort(
    ([a, own], [b, others]) =>
      others.length - own.length ||
      Number(a === null) - Number(b === null) ||
      ((a ?? '') < (b ?? '') ? -1 : 1),
  )
  const rest = ranked.slice(groupLimit).flatMap(([, own]) => own)
  return {
    groups: ranked.slice(0, groupLimit).map(([value, own]) => ({ value, steps: stepsOf(asked, steps, own) })),
    other: rest.length === 0 ? null : stepsOf(asked, steps, rest),
  }
}

function between(reachedAt: readonly number[], from: number, to: number): number[] {
  const [start, end] = [reachedAt[from], reachedAt[to]]
  return start === undefined || end === undefined ? [] : [end - start]
}

function timesOf(times: readonly number[]): Funnel['first_to_last'] {
  if (times.length === 0) return null
  const sorted = [...times].sort((a, b) => a - b)
  const at = 0.9 * (sorted.length - 1)
  const [lower, upper] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0]
  return {
    median_ms: medianOf(sorted),
    mean_ms: sorted.reduce((total, ms) => total + ms, 0) / sorted.length,
    p90_ms: lower + (upper - lower) * (at % 1),
  }
}
