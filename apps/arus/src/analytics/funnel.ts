import type { Funnel } from '../api-schema/index.ts'
import type { SqlDialect } from '../query/sql-dialect.ts'
import { attemptsSql, type FunnelOrder, numbers } from './funnel-sql.ts'
import { askLake, dateOf, named } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import { DAY_MS, type Period } from './period.ts'
import { eventProperty } from './property.ts'
import { ratio } from './user-behavior.ts'

/** The usual steps, in the order in which a shopper takes them. */
const STEPS = ['view', 'click', 'add_to_cart', 'purchase'] as const
const DAYS_MAX = 1_000
const CATEGORIES_MAX = 20
const GROUPS_DEFAULT = 10

/** Which funnel. */
export interface FunnelOptions {
  /** Actions, 2 to 8, each once. Absent: view, click, add_to_cart, purchase, of which those that nobody did hold nobody up. */
  readonly steps?: readonly string[]
  /** Default `strict`. */
  readonly order?: FunnelOrder
  /** From the first to the last step at most. Absent: no bound. */
  readonly windowMs?: number
  /** `category`, or a key of `properties`: shoppers are also told apart by the value at their first step. */
  readonly splitBy?: string
  /** Groups at most; the rest is `other`. Default 10. */
  readonly groupLimit?: number
  /** Only events whose property has this value. */
  readonly where?: { readonly property: string; readonly value: string }
}

/** What SQL says of one step, or of the time to it from the step before. */
interface Reached {
  readonly shoppers: number
  readonly median_ms: number | null
  readonly mean_ms: number | null
  readonly p90_ms: number | null
}

interface Row {
  readonly recorded: readonly string[] | null
  /** Of each step, and at last of the way from the first to the last. */
  readonly reached: readonly Reached[]
  readonly groups:
    | readonly {
        readonly value: string | null
        readonly is_other: boolean
        readonly reached: readonly Reached[]
      }[]
    | null
  readonly days: Funnel['by_day'] | null
  readonly categories: Funnel['by_category'] | null
}

/** Distinct shoppers per action, whatever they did before. */
const SHOPPERS_PER_STEP = STEPS.map(
  (step) => `count(DISTINCT shopper) FILTER (WHERE action = '${step}') AS "${step}"`,
).join(', ')
const STEP_FIELDS = named(...STEPS)

const PER_DAY_AND_CATEGORY = [
  `per_day AS (
    SELECT event_date, ${SHOPPERS_PER_STEP} FROM e GROUP BY event_date ORDER BY event_date DESC LIMIT ${DAYS_MAX})`,
  `per_category AS (
    SELECT category, ${SHOPPERS_PER_STEP} FROM e WHERE category IS NOT NULL GROUP BY category
    HAVING count(*) FILTER (WHERE action IN (${STEPS.map((step) => `'${step}'`).join(', ')})) > 0
    ORDER BY "view" DESC, "purchase" DESC, category LIMIT ${CATEGORIES_MAX})`,
]

/** How far shoppers came in a period, step by step, and how long it took them; defined in `docs/ANALYTICS.md`. */
export async function funnel(
  questions: LakeQuestions,
  period: Period,
  options: FunnelOptions,
): Promise<Funnel> {
  const steps = options.steps ?? STEPS
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    ...questionOf(dialect, steps, options),
  }))
  const recorded = row.recorded ?? []
  const inOrder = (reached: readonly Reached[]) => stepsOf(steps, recorded, reached)
  const groups = row.groups ?? []
  return {
    from: period.fromMs,
    to: period.toMs,
    order: options.order ?? 'strict',
    window_ms: options.windowMs ?? null,
    split_by: options.splitBy ?? null,
    steps: inOrder(row.reached.slice(0, -1)),
    first_to_last: timesOf(row.reached.at(-1)),
    groups: groups
      .filter(({ is_other }) => !is_other)
      .map(({ value, reached }) => ({ value, steps: inOrder(reached) })),
    other: groups.filter(({ is_other }) => is_other).map(({ reached }) => inOrder(reached))[0] ?? null,
    by_day: withEmptyDays(row.days ?? []),
    by_category: row.categories ?? [],
    as_of: row.asOf,
  }
}

function questionOf(dialect: SqlDialect, steps: readonly string[], options: FunnelOptions) {
  const group =
    options.splitBy === undefined
      ? { sql: 'CAST(NULL AS VARCHAR)', params: [] }
      : eventProperty(dialect, options.splitBy, steps.length + 1)
  const params = [...steps, ...group.params]
  const filter = options.where && eventProperty(dialect, options.where.property, params.length + 1)
  if (filter !== undefined) params.push(...filter.params)
  return {
    ...(filter === undefined ? {} : { where: `${filter.sql} = $${params.length + 1}` }),
    with: [
      ...attemptsSql(dialect, {
        stepCount: steps.length,
        order: options.order ?? 'strict',
        windowMs: options.windowMs ?? null,
        isOnlyRecorded: options.steps === undefined,
        groupSql: group.sql,
      }),
      ...PER_DAY_AND_CATEGORY,
    ],
    figures: figuresOf(dialect, steps.length, options),
    params: options.where === undefined ? params : [...params, options.where.value],
  }
}

function figuresOf(
  dialect: SqlDialect,
  stepCount: number,
  { splitBy, groupLimit = GROUPS_DEFAULT }: FunnelOptions,
) {
  const { object } = dialect
  const steps = numbers(stepCount).map((step) => reachedSql(dialect, step))
  const whole = timeSql(dialect, `at_${stepCount}`, 'at_1')
  const ranked = `SELECT grp, row_number() OVER (ORDER BY count(*) DESC, grp NULLS LAST) AS place FROM best GROUP BY grp`
  const perGroup = `SELECT CASE WHEN place <= ${groupLimit} THEN b.grp END AS value, least(place, ${groupLimit + 1}) AS place,
      ARRAY[${steps.join(', ')}] AS reached
    FROM best b JOIN (${ranked}) r ON coalesce(b.grp, '') = coalesce(r.grp, '') AND (b.grp IS NULL) = (r.grp IS NULL)
    GROUP BY 1, 2`
  return {
    recorded: 'SELECT array_agg(action ORDER BY step) FROM steps',
    reached: `SELECT ARRAY[${[...steps, whole].join(', ')}] FROM best`,
    ...(splitBy === undefined
      ? {}
      : {
          groups: `SELECT array_agg(${object({
            ...named('value', 'reached'),
            is_other: `place > ${groupLimit}`,
          })} ORDER BY place) FROM (${perGroup}) per_group`,
        }),
    days: `SELECT array_agg(${object({ date: 'CAST(event_date AS VARCHAR)', ...STEP_FIELDS })} ORDER BY event_date) FROM per_day`,
    categories: `SELECT array_agg(${object({ category: 'category', ...STEP_FIELDS })}
      ORDER BY "view" DESC, "purchase" DESC, category) FROM per_category`,
  }
}

function reachedSql(dialect: SqlDialect, step: number): string {
  return timeSql(dialect, `at_${step}`, step === 1 ? null : `at_${step - 1}`)
}

/** Shoppers who reached `to`, and the time it took them from `from`, where there is one. */
function timeSql({ object, quantile, epochMs }: SqlDialect, to: string, from: string | null): string {
  const ms = from === null ? null : `${epochMs(to)} - ${epochMs(from)}`
  const none = 'CAST(NULL AS DOUBLE)'
  return object({
    shoppers: `count(${to})`,
    median_ms: ms === null ? none : quantile(ms, 0.5),
    mean_ms: ms === null ? none : `avg(${ms})`,
    p90_ms: ms === null ? none : quantile(ms, 0.9),
  })
}

/** The steps asked for; those left out of SQL as not recorded have nobody. */
function stepsOf(
  steps: readonly string[],
  recorded: readonly string[],
  reached: readonly Reached[],
): Funnel['steps'] {
  const found = steps.map((step) => (recorded.includes(step) ? reached[recorded.indexOf(step)] : undefined))
  const shoppers = found.map((step) => step?.shoppers ?? 0)
  return steps.map((step, i) => ({
    step,
    shoppers: shoppers[i] ?? 0,
    of_first: ratio(shoppers[i] ?? 0, shoppers[0] ?? 0),
    of_previous: i === 0 ? null : ratio(shoppers[i] ?? 0, shoppers[i - 1] ?? 0),
    from_previous: timesOf(found[i]),
  }))
}

/** Null where nobody went that way. */
function timesOf(reached: Reached | undefined): Funnel['first_to_last'] {
  const { median_ms = null, mean_ms = null, p90_ms = null } = reached ?? {}
  return median_ms === null || mean_ms === null || p90_ms === null ? null : { median_ms, mean_ms, p90_ms }
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
