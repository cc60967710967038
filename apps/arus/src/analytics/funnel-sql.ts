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

/**
 * `name AS (SELECT …)` texts that end in `best`: one row per shopper who began, with `at_1`, `at_2`, … the moment each
 * step was reached (null from the first that was not) and `grp`, the value at the event the attempt began with.
 */
export function attemptsSql(plan: FunnelPlan): string[] {
  const { stepCount } = plan
  return [
    stepsSql(plan),
    `acts AS MATERIALIZED (
      SELECT e.shopper, e.ts, e.log_partition, e.log_offset, s.step, ${plan.groupSql} AS grp FROM e JOIN steps s USING (action))`,
    ...(plan.order === 'exact' ? runsSql() : []),
    beginningsSql(plan),
    ...numbers(stepCount).map((step) => stepSql(plan, step)),
    bestSql(stepCount),
  ]
}

/** One to `count`. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

/** The steps that count, numbered without gaps. */
function stepsSql({ stepCount, isOnlyRecorded }: FunnelPlan): string {
  const asked = numbers(stepCount).map((place) => `($${place}::VARCHAR, ${place})`)
  return `steps AS MATERIALIZED (
    SELECT action, row_number() OVER (ORDER BY place) AS step FROM (VALUES ${asked.join(', ')}) s(action, place)
    ${isOnlyRecorded ? 'WHERE action IN (SELECT action FROM e)' : ''})`
}

/** Repeats of a step, one after the other, are one run. */
function runsSql(): string[] {
  const past = `OVER (PARTITION BY shopper ORDER BY ${IN_ORDER})`
  return [
    `changes AS (SELECT *, coalesce(step <> lag(step) ${past}, true)::INTEGER AS is_change FROM acts)`,
    `numbered AS (SELECT *, sum(is_change) ${past} AS run FROM changes)`,
    `runs AS (SELECT shopper, run, any_value(step) AS step, min(ts) AS ts FROM numbered GROUP BY shopper, run)`,
  ]
}

/** Where attempts begin. Without a bound nothing that begins later comes further, so the first is enough. */
function beginningsSql({ order, windowMs }: FunnelPlan): string {
  const isFirstEnough = order !== 'exact' && windowMs === null
  const first = `QUALIFY row_number() OVER (PARTITION BY shopper ORDER BY ${IN_ORDER}) = 1`
  return `a0 AS (SELECT *, ts AS began_at FROM ${order === 'exact' ? 'numbered' : 'acts'}
    ${order === 'any' ? '' : 'WHERE step = 1'} ${isFirstEnough ? first : ''})`
}

/** Adds the moment one step was reached. */
function stepSql(plan: FunnelPlan, step: number): string {
  const { order } = plan
  const before = `a${step - 1}`
  if (step === 1 && order !== 'any') return `a1 AS (SELECT *, began_at AS at_1 FROM a0)`
  const join =
    order === 'exact'
      ? `LEFT JOIN runs x ON a.shopper = x.shopper AND x.run = a.run + ${step - 1} AND x.step = ${step}`
      : `ASOF LEFT JOIN (SELECT shopper, ts FROM acts WHERE step = ${step}) x
          ON a.shopper = x.shopper AND ${order === 'any' ? 'a.began_at' : `a.at_${step - 1}`} <= x.ts`
  return `a${step} AS (SELECT a.*, ${momentSql(plan, step)} AS at_${step} FROM ${before} a ${join})`
}

function momentSql({ order, windowMs }: FunnelPlan, step: number): string {
  const previous = step === 1 ? null : `a.at_${step - 1}`
  const isReached = [
    'x.ts IS NOT NULL',
    ...(previous === null ? [] : [`${previous} IS NOT NULL`]),
    ...(windowMs === null ? [] : [`epoch_ms(x.ts) - epoch_ms(a.began_at) <= ${windowMs}`]),
  ].join(' AND ')
  // In any order, the first steps are done when the last of them is.
  const moment = order === 'any' && previous !== null ? `greatest(${previous}, x.ts)` : 'x.ts'
  return `CASE WHEN ${isReached} THEN ${moment} END`
}

/** The attempt of each shopper that came furthest; of several, the one that began first. */
function bestSql(stepCount: number): string {
  const depth = numbers(stepCount)
    .map((step) => `(at_${step} IS NOT NULL)::INTEGER`)
    .join(' + ')
  return `best AS MATERIALIZED (
    SELECT *, ${depth} AS depth FROM a${stepCount} WHERE at_1 IS NOT NULL
    QUALIFY row_number() OVER (
      PARTITION BY shopper ORDER BY depth DESC, began_at, log_partition, log_offset) = 1)`
}
