import { topicNames } from '../../src/events/topics.ts'
import { rowsOf } from '../../src/lake/test-lake.ts'
import type { OpenParts } from '../../src/wiring.ts'
import { ANI_NAMES } from './shop.ts'

const NAMES = ANI_NAMES.map((name) => `'${name}'`).join(', ')
const SHOPPER = `coalesce(user_id, anonymous_id, session_id)`
/** Rows of Ani, told without the code under test. */
const IS_ANI: Readonly<Record<string, string>> = {
  'bronze.events': `${SHOPPER} IN (${NAMES})`,
  'bronze.recommendations': `coalesce(user_id, passport ->> '$.session_id') IN (${NAMES})`,
  'bronze.rejected_events': `contains(raw, 'ani')`,
  'silver.events': `shopper IN (${NAMES})`,
  'silver.interactions': `shopper IN (${NAMES})`,
  'gold.user_stats': `shopper IN (${NAMES})`,
}

/** What is stored of each side, by table. */
export interface Sides {
  /** Rows of others, and a sum over all that is in them. */
  readonly others: Readonly<Record<string, unknown>>
  readonly aniRows: Readonly<Record<string, number>>
  /** Entries of the log that hold something, by topic. */
  readonly entries: Readonly<Record<string, number>>
}

export async function sidesOf(parts: OpenParts): Promise<Sides> {
  const lake = await parts.lake()
  const others: Record<string, unknown> = {}
  const aniRows: Record<string, number> = {}
  for (const [table, isAni] of Object.entries(IS_ANI)) {
    const sql = (condition: string) =>
      `SELECT count(*)::INTEGER, coalesce(sum(hash(t::VARCHAR)), 0)::VARCHAR FROM (SELECT * FROM {${table}} WHERE ${condition}) t`
    const [[count, sum] = []] = await rowsOf(lake, sql(`NOT coalesce(${isAni}, false)`))
    others[table] = [count, sum]
    aniRows[table] = Number((await rowsOf(lake, sql(isAni)))[0]?.[0])
  }
  return { others, aniRows, entries: await entriesOf(parts) }
}

async function entriesOf(parts: OpenParts): Promise<Record<string, number>> {
  const log = await parts.log()
  const counts: Record<string, number> = {}
  for (const topic of Object.values(topicNames(parts.settings.shop))) {
    let count = 0
    for (const { partition } of (await log.topic(topic)).partitions)
      count += (await log.read(topic, partition, 0, 1_000_000)).entries.length
    counts[topic] = count
  }
  return counts
}
