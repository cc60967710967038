import type { Funnel } from '../api-schema/index.ts'
import type { QueryEngine } from '../query/query-engine.ts'
import { askLake, dateOf } from './lake-question.ts'
import { DAY_MS, type Period } from './period.ts'
import { ratio } from './user-behavior.ts'

/** The steps, in the order in which a shopper takes them. */
const STEPS = ['view', 'click', 'add_to_cart', 'purchase'] as const
const DAYS_MAX = 1_000
const CATEGORIES_MAX = 20

interface Row {
  readonly steps: Record<(typeof STEPS)[number], number>
  readonly days: Funnel['by_day'] | null
  readonly categories: Funnel['by_category'] | null
}

/** Distinct shoppers per action, whatever they did before. */
const SHOPPERS_PER_STEP = STEPS.map(
  (step) => `count(DISTINCT shopper) FILTER (action = '${step}') AS "${step}"`,
).join(', ')
const STEP_FIELDS = STEPS.map((step) => `"${step}": "${step}"`).join(', ')

const WITH = [
  ...STEPS.map(reachedSql),
  `per_day AS (
    SELECT event_date, ${SHOPPERS_PER_STEP} FROM e GROUP BY event_date ORDER BY event_date DESC LIMIT ${DAYS_MAX})`,
  `per_category AS (
    SELECT category, ${SHOPPERS_PER_STEP} FROM e WHERE category IS NOT NULL GROUP BY category
    HAVING "view" + "click" + "add_to_cart" + "purchase" > 0
    ORDER BY "view" DESC, "purchase" DESC, category LIMIT ${CATEGORIES_MAX})`,
]

const FIGURES = {
  steps: `SELECT {${STEPS.map(
    (step, i) =>
      `"${step}": CASE WHEN ${occursSql(step)} THEN (SELECT count(*) FROM reached_${i}) ELSE 0 END`,
  ).join(', ')}}`,
  days: `SELECT list({date: event_date::VARCHAR, ${STEP_FIELDS}} ORDER BY event_date) FROM per_day`,
  categories: `SELECT list({category: category, ${STEP_FIELDS}}
    ORDER BY "view" DESC, "purchase" DESC, category) FROM per_category`,
}

/**
 * How far shoppers came in a period. `steps` is in order: a shopper reaches a step by its action at or after the moment
 * the step before was reached (the earliest moment possible at each step, which loses nobody). A step whose action
 * nobody did in the period is not one this shop records: it shows 0, and the next step follows the one before it.
 * `by_day` and `by_category` count distinct shoppers per action, as `gold.daily_funnel` does.
 */
export async function funnel(query: QueryEngine, period: Period): Promise<Funnel> {
  const row = await askLake<Row>(query, { period, with: WITH, figures: FIGURES })
  const shoppers = STEPS.map((step) => row.steps[step])
  return {
    from: period.fromMs,
    to: period.toMs,
    steps: STEPS.map((step, i) => ({
      step,
      shoppers: shoppers[i] ?? 0,
      of_first: ratio(shoppers[i] ?? 0, shoppers[0] ?? 0),
      of_previous: i === 0 ? null : ratio(shoppers[i] ?? 0, shoppers[i - 1] ?? 0),
    })),
    by_day: withEmptyDays(row.days ?? []),
    by_category: row.categories ?? [],
    as_of: row.asOf,
  }
}

/** When each shopper reached a step. */
function reachedSql(step: (typeof STEPS)[number], i: number): string {
  if (i === 0) {
    return `reached_0 AS (
      SELECT shopper, min(ts) AS reached_at FROM e WHERE action = '${step}' OR NOT ${occursSql(step)} GROUP BY shopper)`
  }
  return `reached_${i} AS (
    SELECT e.shopper, min(e.ts) AS reached_at FROM e JOIN reached_${i - 1} r
      ON e.shopper = r.shopper AND e.ts >= r.reached_at
    WHERE e.action = '${step}' GROUP BY e.shopper
    UNION ALL SELECT shopper, reached_at FROM reached_${i - 1} WHERE NOT ${occursSql(step)})`
}

function occursSql(step: string): string {
  return `EXISTS (SELECT 1 FROM e WHERE action = '${step}')`
}

/** Days without an event between the first and the last, as zeros; at most the newest 1,000. */
function withEmptyDays(days: Funnel['by_day']): Funnel['by_day'] {
  const [first, last] = [days[0], days.at(-1)]
  if (first === undefined || last === undefined) return []
  const known = new Map(days.map((day) => [day.date, day]))
  const lastMs = Date.parse(last.date)
  const firstMs = Math.max(Date.parse(first.date), lastMs - (DAYS_MAX - 1) * DAY_MS)
  return Array.from({ length: (lastMs - firstMs) / DAY_MS + 1 }, (_, i) => {
    const date = dateOf(firstMs + i * DAY_MS)
    return known.get(date) ?? { date, view: 0, click: 0, add_to_cart: 0, purchase: 0 }
  })
}
