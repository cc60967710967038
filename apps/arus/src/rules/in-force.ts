import type { Rule } from './rule.ts'

/** What is said of trends is a statement of fact, so only a rule that names them moves them; what is excluded stays out. */
const TRENDING = 'trending'

/** Rules that apply in a scenario at a moment (UTC ms), in the order in which they were made. */
export function rulesInForce(rules: readonly Rule[], scenario: string, atMs: number): Rule[] {
  return rules
    .filter((rule) => rule.enabled && isWithin(rule, atMs) && isFor(rule, scenario))
    .sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))
}

/** The next moment after `atMs` at which one of the rules begins or ends; infinity when none does. */
export function nextChange(rules: readonly Rule[], atMs: number): number {
  let next = Number.POSITIVE_INFINITY
  for (const { starts_at, ends_at } of rules) {
    for (const edge of [starts_at, ends_at]) if (edge !== null && edge > atMs && edge < next) next = edge
  }
  return next
}

function isWithin({ starts_at, ends_at }: Rule, atMs: number): boolean {
  return (starts_at === null || starts_at <= atMs) && (ends_at === null || atMs < ends_at)
}

function isFor({ kind, scenarios }: Rule, scenario: string): boolean {
  if (scenarios.length === 0) return scenario !== TRENDING || kind === 'exclude'
  return scenarios.includes(scenario)
}
