import type { DuckDBConnection } from '@duckdb/node-api'
import { allNames, type ShopperNames } from '../events/shopper-names.ts'
import type { Lake } from './lake.ts'
import { SHOPPER } from './silver-sql.ts'
import { stageRows } from './staged-rows.ts'
import { countTheirs, stageTheirs } from './their-rows.ts'

/** What the lake knows of a person before they are erased. */
export interface FoundShopper {
  readonly names: ShopperNames
  /** Rows of theirs by table. */
  readonly rowCounts: Readonly<Record<string, number>>
  /** Ids of their events. */
  readonly eventIds: readonly string[]
  /** Intake of their oldest event, UTC ms; null where there is none. */
  readonly firstAtMs: number | null
  /** Anonymous ids of theirs under which other users signed in too: those are not theirs alone, and stay. */
  readonly sharedAnonymousIds: number
  /** Events of others that carry the asked name as anonymous id or session. */
  readonly namedByOthers: number
}

/**
 * Looks through bronze, which must hold what the log holds, for the names a person went by. An anonymous id is theirs when
 * they signed in under it, or named it as their alias, and no other user did; a session when nobody else took part in
 * it. Other user ids are never taken for theirs, whoever says so.
 */
export async function findShopper(lake: Lake, id: string): Promise<FoundShopper> {
  const connection = await lake.duckdb.connect()
  try {
    await stageRows(connection, 'asked', [['id', 'text']], [[id]])
    const names = await namesOf(lake, connection)
    await stageTheirs(lake, connection, allNames({ id, ...names.found }))
    const events = (await lake.relation('bronze.events')).sql
    const ids = await textsOf(connection, `SELECT event_id FROM ${events} WHERE ${SHOPPER} IN (FROM theirs)`)
    const [facts = []] = (
      await connection.runAndReadAll(
        `SELECT epoch_ms(min(received_at) FILTER (${SHOPPER} IN (FROM theirs)))::DOUBLE,
          count(*) FILTER (coalesce(${SHOPPER} NOT IN (FROM theirs) AND (anonymous_id IN (FROM asked) OR session_id IN (FROM asked)), false))::DOUBLE
        FROM ${events}`,
      )
    ).getRows()
    return {
      names: { id, ...names.found },
      rowCounts: await countTheirs(lake, connection),
      eventIds: ids,
      firstAtMs: facts[0] == null ? null : Number(facts[0]),
      sharedAnonymousIds: names.sharedCount,
      namedByOthers: Number(facts[1] ?? 0),
    }
  } finally {
    connection.closeSync()
  }
}

async function namesOf(lake: Lake, connection: DuckDBConnection) {
  const events = (await lake.relation('bronze.events')).sql
  const recommendations = (await lake.relation('bronze.recommendations')).sql
  // Who signed in under which anonymous id, or said that it was theirs.
  await connection.run(`CREATE OR REPLACE TEMP TABLE signed AS
    SELECT user_id, anonymous_id AS name FROM ${events} WHERE user_id IS NOT NULL AND anonymous_id IS NOT NULL
    UNION SELECT user_id, properties ->> '$.previousId' FROM ${events}
      WHERE user_id IS NOT NULL AND action = 'alias' AND json_valid(properties)`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE users AS
    SELECT DISTINCT user_id AS name FROM ${events} WHERE user_id IS NOT NULL AND user_id NOT IN (FROM asked)`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE visitors AS
    SELECT name, bool_and(user_id IN (FROM asked)) AND name NOT IN (FROM users) AS is_own FROM signed
    WHERE name IS NOT NULL AND name NOT IN (FROM asked) GROUP BY name HAVING bool_or(user_id IN (FROM asked))`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE persons AS
    SELECT id AS name FROM asked UNION SELECT name FROM visitors WHERE is_own`)
  // Of a session that names nobody, the session itself is the shopper.
  await connection.run(`CREATE OR REPLACE TEMP TABLE sittings AS
    SELECT session_id AS name, coalesce(user_id, anonymous_id) AS person FROM ${events} WHERE session_id IS NOT NULL
    UNION SELECT CASE WHEN json_valid(passport) THEN passport ->> '$.session_id' END, user_id FROM ${recommendations}`)
  const found = {
    anonymousIds: await textsOf(connection, 'SELECT name FROM visitors WHERE is_own ORDER BY name'),
    sessions: await textsOf(
      connection,
      `SELECT name FROM sittings WHERE name IS NOT NULL AND name NOT IN (FROM users) AND name NOT IN (FROM persons)
        GROUP BY name HAVING bool_or(coalesce(person IN (FROM persons), false)) AND bool_and(coalesce(person IN (FROM persons), true))
        ORDER BY name`,
    ),
  }
  const shared = await textsOf(connection, 'SELECT name FROM visitors WHERE NOT is_own')
  return { found, sharedCount: shared.length }
}

async function textsOf(connection: DuckDBConnection, sql: string): Promise<string[]> {
  return (await connection.runAndReadAll(sql)).getRows().map(([value]) => String(value))
}
