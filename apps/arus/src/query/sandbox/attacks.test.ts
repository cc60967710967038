import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ArusError } from '../../errors.ts'
import { type DuckDb, openDuckDb } from '../../lake/duckdb.ts'
import { type Lake, openLake } from '../../lake/lake.ts'
import type { LakeSql, SqlFormat, SqlQuestion } from '../lake-sql.ts'
import type { Attack } from './attack.ts'
import { attackDocs } from './attack-docs.ts'
import { ATTACKS } from './attacks.ts'
import { openSandboxedSql } from './sandboxed-sql.ts'

const MARKER = 'nobody-may-see-this'
const TIMEOUT_MS = 2_000
/** A process must be gone this soon after its deadline. */
const KILLED_WITHIN_MS = 1_000
/** For a new process to be there on a busy machine. */
const RESTARTED_WITHIN_MS = 30_000
const MEBIBYTE = 1024 * 1024
const PROCESSES = 2
const QUEUE = 4

let folder = ''
let duckdb: DuckDb
let lake: Lake
let sql: LakeSql
let places: Readonly<Record<string, string>>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-attacks-'))
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 256 * MEBIBYTE })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  await lake.write(
    'bronze.categories',
    `SELECT i::VARCHAR AS id, 'name' AS category_name FROM range(10) t(i)`,
    {
      mode: 'append',
    },
  )
  const other = openLake({ root: join(folder, 'other', 'lake'), duckdb })
  for (const shop of [lake, other]) {
    await shop.write('bronze.rejected_products', rejectedProduct(MARKER), { mode: 'append' })
  }
  writeFileSync(join(folder, 'secret.csv'), `secret\n${MARKER}\n`)
  symlinkSync(join(folder, 'secret.csv'), join(folder, 'lake', 'bronze', 'link.csv'))
  places = {
    lake: join(folder, 'lake'),
    secret: join(folder, 'secret.csv'),
    link: join(folder, 'lake', 'bronze', 'link.csv'),
    other: parquetIn(join(folder, 'other', 'lake', 'bronze', 'rejected_products')),
    part: parquetIn(join(folder, 'lake', 'bronze', 'rejected_products')),
  }
  process.env.ARUS_ATTACK_SECRET = MARKER
  mkdirSync(join(folder, 'sql'))
  sql = openSandboxedSql({
    lake,
    lakeRoot: join(folder, 'lake'),
    temporaryFolder: join(folder, 'sql'),
    processCount: PROCESSES,
    memoryBytes: 256 * MEBIBYTE,
    diskBytes: 256 * MEBIBYTE,
    threadCount: 1,
    resultBytes: 16 * MEBIBYTE,
    queueLimit: QUEUE,
    waitMs: RESTARTED_WITHIN_MS,
  })
  expect(await sql.isHealthy()).toBe(true)
})
afterAll(async () => {
  delete process.env.ARUS_ATTACK_SECRET
  await sql.close()
  await lake.close()
  await duckdb.close()
  rmSync(folder, { recursive: true })
})

describe.each([...new Set(ATTACKS.map(({ kind }) => kind))])('%s', (kind) => {
  const attacks = ATTACKS.filter((attack) => attack.kind === kind)
  test.each(attacks.map((attack) => [shownOf(attack), attack] as const))('%s', async (_name, attack) => {
    // The one before may have cost a process: what is timed is the attempt, not the start of another.
    await expect.poll(() => sql.isHealthy(), { timeout: RESTARTED_WITHIN_MS }).toBe(true)
    const before = filesBelow(folder)
    const latenessMs = latenessOfTimers(TIMEOUT_MS)
    const startedAt = performance.now()
    const { outcome, seen } = await attempt(attack)
    const tookMs = performance.now() - startedAt
    expect(attack.outcomes, seen.slice(0, 300)).toContain(outcome)
    expect(seen).not.toContain(MARKER)
    // A syntax error may show the asker a piece of their own text.
    if (!String(attack.sql).includes('{')) expect(seen).not.toContain(folder)
    expect(seen).not.toMatch(/root:.*:0:0:/)
    expect(tookMs).toBeLessThan(TIMEOUT_MS + KILLED_WITHIN_MS + latenessMs())
    expect(filesBelow(folder)).toEqual(before)
    expect(await rowsOf('SELECT count(*) FROM bronze.categories', { timeoutMs: RESTARTED_WITHIN_MS })).toBe(
      '[[10]]',
    )
  })
})

test('there are as many attempts as promised, no two the same', () => {
  expect(ATTACKS.length).toBeGreaterThanOrEqual(80)
  expect(new Set(ATTACKS.map(shownOf)).size).toBe(ATTACKS.length)
})

test('docs/SQL.md lists them as "npm run docs" writes it', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../../docs/SQL.md'), 'utf8')
  expect(page.endsWith(`<!-- attempts -->\n\n${attackDocs()}\n`)).toBe(true)
})

test('thousands of questions at once: as many as may wait are answered, the others told at once', async () => {
  await expect.poll(() => sql.isHealthy(), { timeout: RESTARTED_WITHIN_MS }).toBe(true)
  const outcomes = await Promise.all(
    Array.from({ length: 3_000 }, () =>
      rowsOf('SELECT count(*) FROM bronze.categories', { timeoutMs: RESTARTED_WITHIN_MS }).catch(
        (error: ArusError) => error.code,
      ),
    ),
  )
  expect(new Set(outcomes)).toEqual(new Set(['[[10]]', 'QUERY_QUEUE_FULL']))
  // One process at least is there; others may be starting again after the attempts before.
  expect(outcomes.filter((outcome) => outcome === '[[10]]').length).toBeGreaterThanOrEqual(1 + QUEUE)
})

test('askers who take nothing hold the processes until their deadline, no longer', async () => {
  await expect.poll(() => sql.isHealthy(), { timeout: RESTARTED_WITHIN_MS }).toBe(true)
  const text = `SELECT repeat('x', 1000) FROM range(10000)`
  const held = await Promise.all(
    Array.from({ length: PROCESSES }, () =>
      sql.ask({ sql: text, format: 'csv', rowLimit: 10_000, timeoutMs: RESTARTED_WITHIN_MS / 2 }),
    ),
  )
  expect(await rowsOf('SELECT 1', { timeoutMs: RESTARTED_WITHIN_MS })).toBe('[[1]]')
  for (const { body } of held) {
    await expect(Readable.from(body).toArray()).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  }
})

test.each(['csv', 'arrow', 'parquet'] as const)('what is refused is refused as %s too', async (format) => {
  const attack: Attack = { kind: 'read a file', sql: `SELECT * FROM read_text('{secret}')`, outcomes: [] }
  expect((await attempt(attack, format)).outcome).toBe('QUERY_INVALID')
})

test('a name that tries to break out of the Parquet writer is only a name', async () => {
  const sqlText = `SELECT 1 AS "a"" INTEGER); COPY (SELECT 1) TO '${folder}/out.csv'; --", {'x" INTEGER)); --': 1} AS s`
  const before = filesBelow(folder)
  const { outcome } = await attempt({ kind: 'write a file', sql: sqlText, outcomes: [] }, 'parquet')
  expect(['answer', 'QUERY_INVALID']).toContain(outcome)
  expect(filesBelow(folder)).toEqual(before)
})

/** How late the machine rang a timer set for then, milliseconds, as far as it has: no deadline can be kept better. */
function latenessOfTimers(afterMs: number): () => number {
  const dueAt = performance.now() + afterMs
  let latenessMs = 0
  setTimeout(() => {
    latenessMs = performance.now() - dueAt
  }, afterMs)
  return () => latenessMs
}

async function attempt(
  attack: Attack,
  format: SqlFormat = 'json',
): Promise<{ outcome: string; seen: string }> {
  const text = typeof attack.sql === 'string' ? attack.sql : attack.sql()
  const filled = text.replace(
    /\{(lake|secret|link|other|part)\}/g,
    (_all, place: string) => places[place] ?? '',
  )
  try {
    return {
      outcome: 'answer',
      seen: await rowsOf(filled, { ...(attack.params ? { params: attack.params } : {}), format }),
    }
  } catch (error) {
    if (!(error instanceof ArusError)) throw error
    return { outcome: error.code, seen: error.message.replaceAll(filled, '') }
  }
}

async function rowsOf(text: string, options: Partial<SqlQuestion> = {}): Promise<string> {
  const answer = await sql.ask({
    sql: text,
    format: 'json',
    rowLimit: 100,
    timeoutMs: TIMEOUT_MS,
    ...options,
  })
  const pieces: Uint8Array[] = []
  for await (const bytes of answer.body) pieces.push(bytes)
  return Buffer.concat(pieces).toString()
}

/** Files with their sizes; the processes' own folders come and go. */
function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/[\\/](sql|tmp)([\\/]|$)/.test(entry.parentPath.slice(root.length)))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).size}`)
    .sort()
}

function shownOf({ sql: text, shown }: Attack): string {
  return shown ?? String(text)
}

function parquetIn(path: string): string {
  const name = readdirSync(path).find((file) => file.endsWith('.parquet'))
  return join(path, name ?? 'missing')
}

function rejectedProduct(raw: string): string {
  return `SELECT 1 AS line_number, 'r' AS reason, 'd' AS detail, '${raw}' AS raw, 'a' AS asin, now() AS rejected_at`
}
