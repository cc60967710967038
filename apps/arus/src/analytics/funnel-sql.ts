import type { SqlDialect } from '../query/sql-dialect.ts'

/**
 * `strict`: each step at or after the one before. `exact`: the same, and no other of the steps between. `any`: in
 * whatever order.
 */
export type FunnelOrder = 'strict' | 'exact' | 'any'

/** A funnel as a plan of SQL. The steps are the parameters `$1`, `$2`, …, in order. */
export interface FunnelPlan {
  readonly stepCount: number
  readonly order: FunnelOrder
  /** From the beginning of an attempt to its last step at most; null is no bound. */
  readonly windowMs: number | null
  /** Leaves out steps that nobody did in the period. */
  readonly isOnlyRecorded: boolean
  /** SQL of the value by which shoppers are told apart, over a row of `e`. */
  readonly groupSql: string
}

/** A moment's order within a shopper's events. */
const IN_ORDER = 'ts, log_partition, log_offset'
const ACT_COLUMNS = 'shopper, ts, log_partition, log_offset, step, grp'

/**
 * `name AS (SELECT …)` texts that end in `best`: one row per shopper who began, with `at_1`, `at_2`, … the moment each
 * step was reached (null from the first that was not) and `grp`, the value at the event the attempt began with.
 */
export function attemptsSql(dialect: SqlDialect, plan: FunnelPlan): string[] {
  return [
    stepsSql(dialect, plan),
    `acts AS ${dialect.materialized} (
      SELECT e.shopper, e.ts, e.log_partition, e.log_offset, s.step, ${plan.groupSql} AS grp
      FROM e JOIN steps s ON e.action = s.action)`,
    ...reachingSql(plan),
    attemptSql(dialect, plan),
    ...bestSql(dialect, plan.stepCount),
  ]
}

/** One to `count`. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

/** The steps that count, numbered without gaps. */
function stepsSql({ materialized }: SqlDialect, { stepCount, isOnlyRecorded }: FunnelPlan): string {
  const asked = numbers(stepCount).map((place) => `(CAST($${place} AS VARCHAR), ${place})`)
  return `steps AS ${materialized} (
    SELECT action, row_number() OVER (ORDER BY place) AS step FROM (VALUES ${asked.join(', ')}) s(action, place)
    ${isOnlyRecorded ? 'WHERE action IN (SELECT action FROM e)' : ''})`
}

/** This moment and what follows; backwards, as engines add up from where the order begins. */
const FROM_NOW = 'OVER (PARTITION BY shopper ORDER BY ts DESC)'

/**
 * Texts that end in `reaching`: each act with `to_2`, `to_3`, …, the first moment at which a step is reached by who begins
 * there; in any order `to_1` too.
 */
function reachingSql({ stepCount, order }: FunnelPlan): string[] {
  if (order === 'exact') return runsSql(stepCount)
  if (order === 'any') {
    const next = numbers(stepCount).map((step) => `${nextSql('ts', step)} AS to_${step}`)
    return [`reaching AS (SELECT *, ${next.join(', ')} FROM acts)`]
  }
  // The last step's moments first; then those that are reached by way of the step before, and so on.
  const backwards = numbers(stepCount).slice(1).reverse()
  const nameOf = (step: number) => (step === 2 ? 'reaching' : `from_${step}`)
  return backwards.map((step, i) => {
    const later = backwards.slice(0, i).map((far) => `${nextSql(`to_${far}`, step)} AS to_${far}`)
    const columns = [`${nextSql('ts', step)} AS to_${step}`, ...later]
    const from = i === 0 ? 'acts' : nameOf(step + 1)
    return `${nameOf(step)} AS (SELECT ${ACT_COLUMNS}, ${columns.join(', ')} FROM ${from})`
  })
}

/** The least of a column over the acts of one step that are still to come. */
function nextSql(column: string, step: number): string {
  return `min(CASE WHEN step = ${step} THEN ${column} END) ${FROM_NOW}`
}

/** Repeats of a step, one after the other, are one run; the next steps must be the next runs. */
function runsSql(stepCount: number): string[] {
  const past = `OVER (PARTITION BY shopper ORDER BY ${IN_ORDER})`
  const next = numbers(stepCount)
    .slice(1)
    .map((step) => {
      const ahead = (column: string) =>
        `lead(${column}, ${step - 1}) OVER (PARTITION BY shopper ORDER BY run)`
      return `CASE WHEN ${ahead('step')} = ${step} THEN ${ahead('ts')} END AS to_${step}`
    })
  return [
    `changes AS (SELECT *, CASE WHEN step = lag(step) ${past} THEN 0 ELSE 1 END AS is_change FROM acts)`,
    `numbered AS (SELECT *, sum(is_change) ${past} AS run FROM changes)`,
    `runs AS (SELECT shopper, run, min(step) AS step, min(ts) AS ts FROM numbered GROUP BY shopper, run)`,
    `ahead AS (SELECT *, ${next.join(', ')} FROM runs)`,
    `reaching AS (
      SELECT n.*, ${numbers(stepCount)
        .slice(1)
        .map((step) => `a.to_${step}`)
        .join(', ')}
      FROM numbered n JOIN ahead a ON n.shopper = a.shopper AND n.run = a.run)`,
  ]
}

/** Every attempt, with the moments that count for it. */
function attemptSql(dialect: SqlDialect, plan: FunnelPlan): string {
  const moments = numbers(plan.stepCount).map((step) => `${momentSql(dialect, plan, step)} AS at_${step}`)
  return `attempts AS (SELECT ${ACT_COLUMNS}, ${moments.join(', ')} FROM reaching ${plan.order === 'any' ? '' : 'WHERE step = 1'})`
}

function momentSql({ epochMs }: SqlDialect, { order, windowMs }: FunnelPlan, step: number): string {
  const needed = numbers(step).slice(order === 'any' ? 0 : 1)
  if (needed.length === 0) return 'ts'
  // In any order, the first steps are done when the last of them is.
  const reached = needed.map((one) => `to_${one}`)
  const moment = order === 'any' && step > 1 ? `greatest(${reached.join(', ')})` : `to_${step}`
  const isReached = [
    ...reached.map((one) => `${one} IS NOT NULL`),
    ...(windowMs === null ? [] : [`${epochMs(moment)} - ${epochMs('ts')} <= ${windowMs}`]),
  ]
  return `CASE WHEN ${isReached.join(' AND ')} THEN ${moment} END`
}

/** The attempt of each shopper that came furthest; of several, the one that began first. */
function bestSql({ materialized }: SqlDialect, stepCount: number): string[] {
  const depth = numbers(stepCount)
    .map((step) => `CASE WHEN at_${step} IS NULL THEN 0 ELSE 1 END`)
    .join(' + ')
  return [
    `ranked AS (
      SELECT *, row_number() OVER (
        PARTITION BY shopper ORDER BY ${depth} DESC, ts, log_partition, log_offset) AS choice
      FROM attempts WHERE at_1 IS NOT NULL)`,
    `best AS ${materialized} (SELECT * FROM ranked WHERE choice = 1)`,
  ]
}
