import type { Heatmap } from '../api-schema/index.ts'
import { askLake, named } from './lake-question.ts'
import type { LakeQuestions } from './lake-questions.ts'
import type { Period } from './period.ts'
import { knownTimeZone } from './time-zone.ts'

interface Row {
  readonly cells: Heatmap['cells'] | null
}

/**
 * Active shoppers by weekday and hour of a time zone (IANA name): distinct per local hour, summed over the days of the
 * period. All 168 cells, Monday 0 o'clock first. Throws `REQUEST_INVALID` for an unknown zone.
 */
export async function heatmap(questions: LakeQuestions, period: Period, timeZone: string): Promise<Heatmap> {
  const zone = knownTimeZone(timeZone)
  const row = await askLake<Row>(questions, ({ localTime, isoWeekday, object }) => ({
    period,
    with: [
      `local AS (SELECT shopper, date_trunc('hour', ${localTime('ts', '$1')}) AS local_hour FROM e)`,
      `per_hour AS (SELECT local_hour, count(DISTINCT shopper) AS active_users, count(*) AS events FROM local GROUP BY local_hour)`,
      `cells AS (
        SELECT ${isoWeekday('local_hour')} AS weekday, hour(local_hour) AS hour, sum(active_users) AS active_users, sum(events) AS events
        FROM per_hour GROUP BY 1, 2)`,
    ],
    figures: {
      cells: `SELECT array_agg(${object(named('weekday', 'hour', 'active_users', 'events'))}) FROM cells`,
    },
    params: [zone],
  }))
  const known = new Map((row.cells ?? []).map((cell) => [`${cell.weekday} ${cell.hour}`, cell]))
  return {
    from: period.fromMs,
    to: period.toMs,
    time_zone: timeZone,
    cells: Array.from({ length: 7 * 24 }, (_, i) => {
      const [weekday, hour] = [Math.floor(i / 24) + 1, i % 24]
      return known.get(`${weekday} ${hour}`) ?? { weekday, hour, active_users: 0, events: 0 }
    }),
    as_of: row.asOf,
  }
}
