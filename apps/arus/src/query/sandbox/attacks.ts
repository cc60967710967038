import type { ErrorCode } from '../../errors.ts'

/** One way to try what SQL must not do. */
export interface Attack {
  /** What is tried, as the list in docs/SQL.md groups it. */
  readonly kind: AttackKind
  /**
   * The text. `{secret}` is a CSV file outside the lake, `{other}` a Parquet file of another shop, `{lake}` the lake's
   * folder, `{link}` a link in the lake to the secret, `{part}` a file of a table that the query does not name.
   */
  readonly sql: string | (() => string)
  /** How the list shows a text that is made. */
  readonly shown?: string
  readonly params?: readonly (string | number)[]
  /** Outcomes that are clean; `answer` is one that shows nothing it should not. */
  readonly outcomes: readonly (ErrorCode | 'answer')[]
}

export type AttackKind =
  | 'read a file'
  | 'write a file'
  | 'attach a database'
  | 'reach the network'
  | 'load code'
  | 'change settings'
  | 'change data'
  | 'run other statements'
  | 'look at the engine'
  | 'hide by quoting'
  | 'travel out of the lake'
  | 'run for ever'
  | 'fill the memory'
  | 'fill the disk'
  | 'overload the parser'

const REFUSED = ['QUERY_INVALID'] as const
const UNKNOWN = ['TABLE_UNKNOWN'] as const
/** Stopped by a bound: which one comes first depends on the machine. */
const BOUND = ['QUERY_TOO_EXPENSIVE', 'QUERY_TIMEOUT'] as const

/** Attempts of escape and exhaustion; the test runs every one, docs/SQL.md lists them. */
export const ATTACKS: readonly Attack[] = [
  ...refused('read a file', [
    `SELECT * FROM read_csv('{secret}')`,
    `SELECT * FROM read_csv_auto('{secret}')`,
    `SELECT * FROM read_text('/etc/passwd')`,
    `SELECT * FROM read_blob('/etc/passwd')`,
    `SELECT * FROM read_json('{secret}')`,
    `SELECT * FROM read_json_objects('{secret}')`,
    `SELECT * FROM read_ndjson('{secret}')`,
    `SELECT * FROM read_parquet('{other}')`,
    `SELECT * FROM parquet_scan('{other}')`,
    `SELECT * FROM parquet_metadata('{other}')`,
    `SELECT * FROM parquet_schema('{other}')`,
    `SELECT * FROM parquet_kv_metadata('{other}')`,
    `SELECT * FROM parquet_bloom_probe('{other}', 'id', '1')`,
    `SELECT * FROM read_duckdb('{secret}')`,
    `SELECT * FROM sniff_csv('{secret}')`,
    `SELECT * FROM glob('/**')`,
    `SELECT * FROM read_parquet('{part}')`,
    `SELECT * FROM read_csv('{lake}/../secret.csv')`,
    `SELECT * FROM read_csv('{link}')`,
    `SELECT * FROM read_csv(['{secret}'])`,
    `SELECT * FROM read_csv($1)`,
    `SELECT (SELECT content FROM read_text('{secret}'))`,
    `WITH t AS (SELECT * FROM read_csv('{secret}')) SELECT * FROM t`,
    `SELECT * FROM bronze.categories WHERE id IN (SELECT secret FROM read_csv('{secret}'))`,
    `SELECT * FROM (DESCRIBE SELECT * FROM read_csv('{secret}'))`,
    `SUMMARIZE SELECT * FROM read_csv('{secret}')`,
    `SELECT * FROM range(1), LATERAL (SELECT * FROM read_text('{secret}'))`,
    `SELECT 1 ORDER BY (SELECT max(content) FROM read_text('{secret}'))`,
    `SELECT sum(1) OVER (ORDER BY (SELECT max(content) FROM read_text('{secret}')))`,
    `SELECT 1 LIMIT (SELECT length(content) FROM read_text('{secret}'))`,
    `SELECT * FROM (PIVOT read_csv('{secret}') ON secret IN (1) USING count(*))`,
    `SELECT list_transform([1], x -> (SELECT content FROM read_text('{secret}')))`,
  ]),
  ...unknown('read a file', [
    `SELECT * FROM '{secret}'`,
    `SELECT * FROM "{secret}"`,
    `SELECT * FROM '{other}'`,
    `SELECT * FROM '{lake}/../secret.csv'`,
    `SELECT * FROM '{lake}/bronze/*/*.parquet'`,
    `SELECT * FROM '{link}'`,
    `SELECT * FROM bronze."../../secret.csv"`,
    `WITH "{secret}" AS (SELECT 1) SELECT * FROM main."{secret}"`,
  ]),
  ...refused('write a file', [
    `COPY (SELECT 1) TO '{lake}/out.csv'`,
    `COPY (SELECT 1) TO '{part}'`,
    `COPY bronze.categories TO '{lake}/../out.parquet' (FORMAT parquet)`,
    `COPY bronze.categories FROM '{secret}'`,
    `EXPORT DATABASE '{lake}/export'`,
    `IMPORT DATABASE '{lake}'`,
    `SELECT 1; COPY (SELECT 1) TO '{lake}/out.csv'`,
    `SELECT * FROM query('COPY (SELECT 1) TO ''{lake}/out.csv''')`,
    `SELECT write_log('x')`,
    `SET log_query_path = '{lake}/log.txt'`,
    `PRAGMA enable_profiling = 'json'`,
    `EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/out.csv'`,
  ]),
  ...refused('attach a database', [
    `ATTACH '{lake}/x.db'`,
    `ATTACH '{lake}/../x.db' AS x`,
    `ATTACH ':memory:' AS m`,
    `DETACH memory`,
    `USE memory.main`,
    `COPY FROM DATABASE memory TO x`,
  ]),
  ...refused('reach the network', [
    `SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')`,
    `SELECT * FROM read_parquet('s3://bucket/x.parquet')`,
    `ATTACH 'postgres://127.0.0.1/x' AS x (TYPE postgres)`,
    `CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')`,
  ]),
  ...unknown('reach the network', [`SELECT * FROM 'https://127.0.0.1:9/x.csv'`]),
  ...refused('load code', [
    `INSTALL httpfs`,
    `LOAD httpfs`,
    `FORCE INSTALL spatial FROM community`,
    `LOAD '{secret}'`,
    `UPDATE EXTENSIONS`,
    `CREATE FUNCTION f(a) AS a + 1`,
    `CREATE MACRO m() AS TABLE SELECT * FROM read_csv('{secret}')`,
    `CREATE TYPE t AS ENUM ('a')`,
  ]),
  ...refused('change settings', [
    `SET enable_external_access = true`,
    `SET GLOBAL memory_limit = '100GB'`,
    `RESET memory_limit`,
    `SET VARIABLE x = 1`,
    `SET lock_configuration = false`,
    `SET allowed_directories = ['/']`,
    `SET threads = 64`,
    `PRAGMA memory_limit = '100GB'`,
    `SET SESSION search_path = 'main'`,
    `SELECT setseed(0.5)`,
  ]),
  ...refused('change data', [
    `CREATE TABLE t AS SELECT 1`,
    `CREATE OR REPLACE VIEW bronze.categories AS SELECT 1`,
    `CREATE TEMP TABLE t (a INTEGER)`,
    `DROP SCHEMA bronze CASCADE`,
    `INSERT INTO bronze.categories VALUES ('1', 'x')`,
    `DELETE FROM bronze.categories`,
    `UPDATE bronze.categories SET id = '2'`,
    `TRUNCATE bronze.categories`,
    `ALTER TABLE bronze.categories ADD COLUMN x INTEGER`,
    `MERGE INTO bronze.categories USING (SELECT 1 AS id) s ON false WHEN NOT MATCHED THEN INSERT VALUES ('1', 'x')`,
    `WITH x AS (DELETE FROM bronze.categories RETURNING *) SELECT * FROM x`,
    `SELECT * INTO t FROM bronze.categories`,
    `CREATE SEQUENCE s`,
    `SELECT nextval('s')`,
  ]),
  ...refused('run other statements', [
    `SELECT 1; SELECT 2`,
    `;`,
    ``,
    `SELEC 1`,
    `PREPARE p AS SELECT 1`,
    `EXECUTE p`,
    `DEALLOCATE p`,
    `CALL pragma_version()`,
    `BEGIN TRANSACTION`,
    `COMMIT`,
    `CHECKPOINT`,
    `VACUUM`,
    `ANALYZE`,
    `EXPLAIN SELECT 1`,
    `PRAGMA database_list`,
    `SHOW TABLES`,
    `SHOW ALL TABLES`,
    `SHOW DATABASES`,
    `SELECT * FROM query('SELECT 1')`,
    `SELECT * FROM query_table('bronze.categories')`,
    `SELECT * FROM json_execute_serialized_sql('{"statements":[]}')`,
    `SELECT json_serialize_sql('SELECT 1')`,
    `SELECT * FROM sql_auto_complete('SELE')`,
  ]),
  ...refused('look at the engine', [
    `SELECT getenv('PATH')`,
    `SELECT current_setting('temp_directory')`,
    `SELECT getvariable('x')`,
    `SELECT current_query()`,
    `SELECT pg_get_viewdef('bronze.categories')`,
    `SELECT * FROM duckdb_settings()`,
    `SELECT * FROM duckdb_secrets()`,
    `SELECT * FROM duckdb_views()`,
    `SELECT * FROM duckdb_temporary_files()`,
    `SELECT * FROM duckdb_external_file_cache()`,
    `SELECT * FROM duckdb_memory()`,
    `SELECT * FROM pragma_table_info('bronze.categories')`,
    `SELECT * FROM which_secret('s3://x', 's3')`,
    `SELECT * FROM "duckdb_settings"()`,
    `SELECT * FROM main.duckdb_settings()`,
  ]),
  ...unknown('look at the engine', [
    `SELECT * FROM duckdb_settings`,
    `SELECT * FROM duckdb_logs`,
    `SELECT * FROM duckdb_views`,
    `SELECT * FROM sqlite_master`,
    `SELECT * FROM information_schema.tables`,
    `SELECT * FROM pg_catalog.pg_tables`,
    `SELECT * FROM system.main.duckdb_tables`,
    `SELECT * FROM memory.bronze.categories`,
    `SELECT (WITH duckdb_views AS (SELECT 1) SELECT 1), * FROM duckdb_views`,
    `DESCRIBE duckdb_settings`,
  ]),
  ...refused('hide by quoting', [
    `SELECT/**/*/**/FROM/**/read_text/**/('{secret}')`,
    `SELECT * FROM -- a table\n read_text('{secret}')`,
    `SELECT * FROM "read_text"('{secret}')`,
    `SELECT * FROM READ_TEXT('{secret}')`,
    `SELECT * FROM main.read_text('{secret}')`,
    `SELECT * FROM system.main."read_text"('{secret}')`,
    `/* SELECT */ COPY (SELECT 1) TO '{lake}/out.csv'`,
    `(SELECT 1) UNION ALL SELECT length(content) FROM read_text('{secret}')`,
    `VALUES ((SELECT content FROM read_text('{secret}')))`,
    `FROM read_text('{secret}')`,
    `SELECT '{secret}'.read_text()`,
    `SELECT 1 -- \n; COPY (SELECT 1) TO '{lake}/out.csv'`,
    `SELECT $$x$$; DROP SCHEMA bronze CASCADE`,
    `SELECT "getenv"('PATH')`,
  ]),
  {
    kind: 'hide by quoting',
    sql: `SELECT $1 AS text`,
    params: [`'; COPY (SELECT 1) TO 'out.csv'; --`],
    outcomes: ['answer'],
  },
  {
    kind: 'hide by quoting',
    sql: `SELECT 1 AS "x"" INTEGER); COPY (SELECT 1) TO 'out.csv'; --"`,
    outcomes: ['answer'],
  },
  { kind: 'hide by quoting', sql: `SELECT 'read_text(''/etc/hosts'')' AS text`, outcomes: ['answer'] },
  { kind: 'hide by quoting', sql: `SELECT 1 AS "__proto__", 2 AS "constructor"`, outcomes: ['answer'] },
  {
    kind: 'travel out of the lake',
    sql: `SELECT * FROM bronze.categories AT (VERSION => 999)`,
    outcomes: ['TABLE_VERSION_UNKNOWN'],
  },
  {
    kind: 'travel out of the lake',
    sql: `SELECT * FROM bronze.categories AT (TIMESTAMP => '1970-01-01')`,
    outcomes: ['TABLE_VERSION_UNKNOWN'],
  },
  ...refused('travel out of the lake', [
    `SELECT * FROM bronze.categories AT (VERSION => -1)`,
    `SELECT * FROM bronze.categories AT (VERSION => '../../other')`,
    `SELECT * FROM bronze.categories AT (VERSION => (SELECT 1))`,
    `SELECT * FROM bronze.categories AT (TIMESTAMP => now())`,
    `SELECT * FROM bronze.categories AT (TIMESTAMP => 'yesterday')`,
    `SELECT * FROM bronze.categories AT (FILE => '{secret}')`,
  ]),
  ...bound('run for ever', [
    `SELECT count(*) FROM range(100000000) a, range(100000000) b`,
    `SELECT count(*) FROM bronze.categories a, bronze.categories b, range(10000000000)`,
    `WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT max(i) FROM t`,
    `WITH RECURSIVE t(i) AS (SELECT 1 UNION SELECT (i + 1) % 1000000000 FROM t) SELECT count(*) FROM t`,
    `SELECT sum(i) FROM generate_series(1, 9000000000000000000) s(i)`,
    `SELECT count(*) FROM range(1000000000000) WHERE sin(range) > 2`,
    `SELECT count(*) FROM range(1000000000) a WHERE levenshtein(repeat('a', 1000), repeat('b', 1000)) = a.range`,
    `SELECT count(*) FROM range(30000) a, range(30000) b WHERE regexp_matches(repeat('a', 1000) || a.range || b.range, '(a*)*(a*)*b$')`,
    `SELECT list_sum(list_transform(range(100000000), x -> list_sum(range(x))))`,
    `SELECT count(DISTINCT md5(i::VARCHAR)) FROM range(10000000000) t(i)`,
  ]),
  ...refused('run for ever', [`SELECT sleep_ms(600000)`, `SELECT pg_sleep(600)`]),
  ...bound('fill the memory', [
    `SELECT repeat('x', 4000000000)`,
    `SELECT length(repeat(repeat('x', 40000), 100000))`,
    `SELECT lpad('x', 2000000000, 'y')`,
    `SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)`,
    `SELECT list(i) FROM range(10000000000) t(i)`,
    `SELECT list_aggregate(range(1000000000), 'string_agg')`,
    `SELECT histogram(i) FROM range(10000000000) t(i)`,
    `SELECT array_agg(repeat('x', 10000) || i) FROM range(100000000) t(i)`,
    `SELECT repeat([1], 2000000000)`,
    `SELECT json_group_array(repeat('x', 100000)) FROM range(1000000)`,
    `SELECT map_from_entries(list((i, repeat('x', 1000)))) FROM range(100000000) t(i)`,
    `SELECT repeat('x', 500000000) FROM range(100)`,
    `SELECT string_split(repeat('a,', 500000000), ',')`,
  ]),
  ...bound('fill the disk', [
    `SELECT * FROM range(1000000000) t(i) ORDER BY md5(i::VARCHAR) DESC, i`,
    `SELECT i, repeat(md5(i::VARCHAR), 20) AS s FROM range(1000000000) t(i) ORDER BY s`,
    `SELECT count(*) FROM (SELECT DISTINCT repeat(md5(i::VARCHAR), 20) FROM range(1000000000) t(i))`,
    `SELECT a.i FROM range(300000000) a(i) JOIN range(300000000) b(i) ON md5(a.i::VARCHAR) = md5(b.i::VARCHAR) ORDER BY 1`,
  ]),
  made('overload the parser', `SELECT 1 + 1 + … 50,000 times`, () => `SELECT ${'1+'.repeat(50_000)}1`),
  made(
    'overload the parser',
    `SELECT ((…1…)), 50,000 deep`,
    () => `SELECT ${'('.repeat(50_000)}1${')'.repeat(50_000)}`,
  ),
  made(
    'overload the parser',
    `SELECT [[…]], 50,000 deep`,
    () => `SELECT ${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  ),
  made(
    'overload the parser',
    `SELECT * FROM (SELECT * FROM (…)), 5,000 deep`,
    () => `${'SELECT * FROM ('.repeat(5_000)}SELECT 1${')'.repeat(5_000)}`,
  ),
  made(
    'overload the parser',
    `SELECT NOT NOT … true, 40,000 times`,
    () => `SELECT ${'NOT '.repeat(40_000)}true`,
  ),
  made(
    'overload the parser',
    `SELECT CASE WHEN … nested 5,000 deep`,
    () => `SELECT ${'CASE WHEN true THEN '.repeat(5_000)}1${' END'.repeat(5_000)}`,
  ),
  made('overload the parser', `a text of 100 MB`, () => `SELECT '${'x'.repeat(100_000_000)}'`),
  made('overload the parser', `a comment of 100 MB`, () => `SELECT 1 /*${'x'.repeat(100_000_000)}*/`),
  {
    ...made('overload the parser', `id IN (…), 60,000 numbers`, () => {
      const list = Array.from({ length: 60_000 }, (_, i) => i % 10).join()
      return `SELECT count(*) FROM bronze.categories WHERE id::INTEGER IN (${list})`
    }),
    outcomes: ['answer', ...BOUND, 'QUERY_INVALID'],
  },
  {
    ...made('overload the parser', `SELECT 1 UNION ALL SELECT 1 …, 5,000 times`, () =>
      Array.from({ length: 5_000 }, () => 'SELECT 1').join(' UNION ALL '),
    ),
    outcomes: ['answer', ...BOUND, 'QUERY_INVALID'],
  },
  {
    ...made('overload the parser', `WITH t0 AS …, t40 each the last one twice`, () => {
      const steps = Array.from({ length: 40 }, (_, i) => `t${i + 1} AS (SELECT a.* FROM t${i} a, t${i} b)`)
      return `WITH t0 AS (SELECT * FROM range(2)), ${steps.join(', ')} SELECT count(*) FROM t40`
    }),
    outcomes: [...BOUND, 'QUERY_INVALID'],
  },
  {
    ...made(
      'overload the parser',
      `20,000 parameters`,
      () => `SELECT ${Array.from({ length: 20_000 }, (_, i) => `$${i + 1}`).join()}`,
    ),
  },
]

function refused(kind: AttackKind, texts: readonly string[]): Attack[] {
  return texts.map((sql) => ({
    kind,
    sql,
    outcomes: REFUSED,
    ...(sql.includes('$1') ? { params: ['x'] } : {}),
  }))
}

function unknown(kind: AttackKind, texts: readonly string[]): Attack[] {
  return texts.map((sql) => ({ kind, sql, outcomes: UNKNOWN }))
}

function bound(kind: AttackKind, texts: readonly string[]): Attack[] {
  return texts.map((sql) => ({ kind, sql, outcomes: BOUND }))
}

function made(kind: AttackKind, shown: string, sql: () => string): Attack {
  return { kind, shown, sql, outcomes: ['QUERY_INVALID', ...BOUND] }
}
