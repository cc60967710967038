import { pause } from '../pause.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import type { ModelVersion, Registry } from '../registry/registry.ts'

/** When a model is trained anew. */
export interface RetrainingRules {
  /** A model older than this is trained anew, whatever came since. */
  readonly everyMs: number
  /** Not before the newest version is so old, whatever came since. */
  readonly restMs: number
}

/** What shoppers did since a model's data were read, beside what they did before. */
export interface DriftFigures {
  readonly before: number
  readonly since: number
  /** Share of the interactions since with products that nobody had touched before, 0 to 1. */
  readonly unseenShare: number
  /**
   * Population stability index of categories, less what chance alone gives: Σ (s − b) ln (s / b) over the shares since and before,
   * minus (K − 1)(1 / since + 1 / before). Yurdakul 2018, "Statistical Properties of Population Stability Index", eq. 3.7 and 3.9.
   */
  readonly categoryShift: number
}

/** As much again as this share of the training data has come. */
const GROWTH_MAX = 0.2
const UNSEEN_SHARE_MAX = 0.1
/** From here on a shift counts as large: Siddiqi 2006, "Credit Risk Scorecards". */
const SHIFT_MAX = 0.25
/** For a first model by itself. */
const FIRST_MIN = 1_000
/** Fewer interactions say nothing about a drift. */
const SINCE_MIN = 200

/** Whom the decision is about. */
export interface ModelsNow {
  readonly newest: ModelVersion | null
  readonly production: ModelVersion | null
}

/** Why it is time to train by age and number alone; `look` where what shoppers did must be looked at, null where it is no time. */
export function reasonOfAge(
  { newest, production }: ModelsNow,
  interactionCount: number,
  { everyMs, restMs }: RetrainingRules,
  nowMs: number,
): string | null {
  if (newest === null) return interactionCount < FIRST_MIN ? null : 'there is no model yet'
  const ageMs = nowMs - newest.trained_at
  if (ageMs < restMs) return null
  if (production?.outdated === true && newest.version === production.version)
    return `version ${production.version} was trained with a shopper who was erased since`
  const came = interactionCount - newest.interaction_count
  if (came <= 0) return null
  if (ageMs >= everyMs) return `version ${newest.version} is ${hours(ageMs)} old`
  if (came < SINCE_MIN) return null
  const growth = came / Math.max(1, newest.interaction_count)
  return growth >= GROWTH_MAX
    ? `${percent(growth)} more interactions are there than it was trained from`
    : 'look'
}

/** Why what shoppers did since is too unlike what they did before; null where it is not. */
export function reasonOfDrift({ since, unseenShare, categoryShift }: DriftFigures): string | null {
  if (since < SINCE_MIN) return null
  if (unseenShare >= UNSEEN_SHARE_MAX)
    return `${percent(unseenShare)} of what was done since was with products the model does not know`
  if (categoryShift >= SHIFT_MAX)
    return `shoppers turned to other categories (stability index ${categoryShift.toFixed(2)})`
  return null
}

/** How interactions have changed since a time, UTC ms, from silver. */
export async function driftSince(query: Pick<QueryEngine, 'query'>, sinceMs: number): Promise<DriftFigures> {
  const { rows } = await query.query(DRIFT_SQL, { params: [sinceMs] })
  const [before, since, unseen, shift, categories] = (rows[0] ?? []).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const byChance = before > 0 && since > 0 ? (categories - 1) * (1 / since + 1 / before) : 0
  return {
    before,
    since,
    unseenShare: since === 0 ? 0 : unseen / since,
    categoryShift: before === 0 || since === 0 ? 0 : shift - byChance,
  }
}

/** A category without interactions counts as half of one, so that its share has a logarithm. */
const DRIFT_SQL = `
WITH interactions AS (
  SELECT i.product_id, p.category_id, epoch_ms(i.ts) > $1 AS is_since
  FROM silver.interactions i LEFT JOIN silver.products p USING (product_id)
), products AS (
  SELECT count(*) FILTER (is_since) AS since, bool_or(NOT is_since) AS is_known FROM interactions GROUP BY product_id
), categories AS (
  SELECT greatest(count(*) FILTER (is_since), 0.5) AS since, greatest(count(*) FILTER (NOT is_since), 0.5) AS before
  FROM interactions GROUP BY category_id
), shares AS (
  SELECT since / sum(since) OVER () AS s, before / sum(before) OVER () AS b FROM categories
)
SELECT
  (SELECT count(*) FILTER (NOT is_since) FROM interactions),
  (SELECT count(*) FILTER (is_since) FROM interactions),
  (SELECT coalesce(sum(since) FILTER (NOT is_known), 0) FROM products),
  (SELECT coalesce(sum((s - b) * ln(s / b)), 0) FROM shares),
  (SELECT count(*) FROM categories)`

export interface RetrainingOptions {
  readonly registry: Pick<Registry, 'list' | 'production'>
  readonly query: Pick<QueryEngine, 'query'>
  readonly rules: RetrainingRules
  readonly now: () => number
  /** False: another process looks. */
  readonly isDue?: () => boolean
  /** Trains; what it throws is told to `onFault`, and it is tried again at the next look. */
  readonly train: (reason: string) => Promise<void>
  readonly onFault: (error: unknown) => void
  /** Between two looks, milliseconds. */
  readonly lookEveryMs: number
  readonly signal: AbortSignal
}

/** Looks again and again whether it is time to train, and trains, until the signal aborts. */
export async function keepTraining(options: RetrainingOptions): Promise<void> {
  const { registry, query, rules, now, isDue, train, onFault, lookEveryMs, signal } = options
  while (!signal.aborted) {
    try {
      const reason = isDue?.() === false ? null : await reasonToTrain({ registry, query, rules, now })
      if (reason !== null && !signal.aborted) await train(reason)
    } catch (error) {
      if (!signal.aborted) onFault(error)
    }
    await pause(lookEveryMs, signal)
  }
}

async function reasonToTrain({
  registry,
  query,
  rules,
  now,
}: Pick<RetrainingOptions, 'registry' | 'query' | 'rules' | 'now'>): Promise<string | null> {
  const newest = (await registry.list())[0] ?? null
  const production = await registry.production()
  const { rows } = await query.query('SELECT count(*) FROM silver.interactions')
  const reason = reasonOfAge({ newest, production }, Number(rows[0]?.[0]), rules, now())
  if (reason !== 'look' || newest === null) return reason
  return reasonOfDrift(await driftSince(query, newest.trained_at))
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

function hours(ms: number): string {
  const count = Math.round(ms / 3_600_000)
  return count === 1 ? '1 hour' : `${count} hours`
}
