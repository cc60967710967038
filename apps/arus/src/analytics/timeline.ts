import type { Timeline } from '../api-schema/index.ts'
import { askLake, named } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import { DAY_MS, HOUR_MS, type Period } from './period.ts'
import { stepsOf } from './steps.ts'

/** Actions with a series of their own; the rarer ones share `other`. */
const ACTIONS_MAX = 20
const ALWAYS_SHOWN = ['view', 'click', 'add_to_cart', 'purchase'] as const

interface Row {
  readonly counts:
    | readonly { readonly action: string; readonly step: number; readonly events: number }[]
    | null
}

export interface TimelineOptions {
  readonly interval: Timeline['interval']
  /** IANA name. */
  readonly timeZone: string
}

/** The interval of a period when none is asked for: minutes up to 6 hours, hours up to 14 days, else days. */
export function timelineInterval({ fromMs, toMs }: Period): Timeline['interval'] {
  const lengthMs = toMs - fromMs
  if (lengthMs <= 6 * HOUR_MS) return 'minute'
  return lengthMs <= 14 * DAY_MS ? 'hour' : 'day'
}

/** Events per action and step, the most frequent action first. */
export async function timeline(
  questions: LakeQuestions,
  period: Period,
  { interval, timeZone }: TimelineOptions,
): Promise<Timeline> {
  const { times, sql } = stepsOf(period, interval, timeZone)
  const row = await askLake<Row>(questions, (dialect) => ({
    period,
    with: [
      `frequent AS (SELECT action FROM e GROUP BY action ORDER BY count(*) DESC, action LIMIT ${ACTIONS_MAX})`,
      `counted AS (
        SELECT coalesce(f.action, 'other') AS action, ${sql(dialect)} AS step, count(*) AS events
        FROM e LEFT JOIN frequent f ON e.action = f.action GROUP BY 1, 2)`,
    ],
    figures: {
      counts: `SELECT array_agg(${dialect.object(named('action', 'step', 'events'))}) FROM counted`,
    },
  }))
  return {
    from: period.fromMs,
    to: period.toMs,
    interval,
    time_zone: timeZone,
    times: [...times],
    series: seriesOf(row.counts ?? [], times.length),
    as_of: row.asOf,
  }
}

function seriesOf(counts: NonNullable<Row['counts']>, length: number): Timeline['series'] {
  const series = new Map<string, number[]>()
  const totals = new Map<string, number>()
  for (const action of ALWAYS_SHOWN) series.set(action, new Array<number>(length).fill(0))
  for (const { action, step, events } of counts) {
    const own = series.get(action) ?? new Array<number>(length).fill(0)
    own[step] = events
    series.set(action, own)
    totals.set(action, (totals.get(action) ?? 0) + events)
  }
  return [...series]
    .map(([action, own]) => ({ action, counts: own }))
    .sort((a, b) => (totals.get(b.action) ?? 0) - (totals.get(a.action) ?? 0))
}
