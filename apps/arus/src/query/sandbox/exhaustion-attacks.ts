import { type Attack, BOUND, bound, made, refused } from './attack.ts'

/** Attempts to take more time, memory or disk than a query may have. */
export const EXHAUSTIONS: readonly Attack[] = [
  ...bound('run for ever', [
    `SELECT count(*) FROM range(100000000) a, range(100000000) b`,
    `SELECT count(*) FROM bronze.categories a, bronze.categories b, range(10000000000)`,
    `WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT max(i) FROM t`,
    `WITH RECURSIVE t(i) AS (SELECT 1 UNION SELECT (i + 1) % 1000000000 FROM t) SELECT count(*) FROM t`,
    `SELECT sum(i) FROM generate_series(1, 9000000000000000000) s(i)`,
    `SELECT count(*) FROM range(1000000000000) WHERE sin(range) > 2`,
    `SELECT count(*) FROM range(1000000000) a WHERE levenshtein(repeat('a', 1000) || a.range, repeat('b', 1000)) = a.range`,
    `SELECT count(*) FROM range(30000) a, range(30000) b WHERE regexp_matches(repeat('a', 1000) || a.range || b.range, '(a*)*(a*)*b$')`,
    `SELECT list_sum(list_transform(range(100000000), x -> list_sum(range(x))))`,
    `SELECT count(DISTINCT md5(i::VARCHAR)) FROM range(10000000000) t(i)`,
    `WITH RECURSIVE t(k, i) USING KEY (k) AS (SELECT 1, 1 UNION SELECT k, i + 1 FROM t) FROM t`,
    `SELECT list_reduce(range(100000000), (a, b) -> a + b)`,
    `SELECT max(q) FROM (SELECT quantile_cont(i, 0.5) OVER (ORDER BY i ROWS BETWEEN 1000000 PRECEDING AND CURRENT ROW) AS q FROM range(1000000000) t(i))`,
    `SELECT * FROM range(100000) a CROSS JOIN LATERAL (SELECT * FROM range(a.range * 100000)) b ORDER BY 1 DESC`,
    `SELECT count(*) FROM generate_series(TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', INTERVAL 1 MICROSECOND)`,
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
    `SELECT regexp_extract_all(repeat('a', 100000000), '.')`,
    `SELECT regexp_replace(repeat('a', 10000000), 'a', repeat('b', 1000), 'g')`,
    `SELECT list_transform(range(100000), x -> repeat('y', 100000))`,
    `SELECT flatten(list_transform(range(100000), x -> range(100000)))`,
    `SELECT unnest(range(1000000000))`,
    `SELECT printf('%1000000000d', 1)`,
    `SELECT format('{:>1000000000}', 1)`,
    `SELECT * FROM json_tree(repeat('[', 100000) || repeat(']', 100000))`,
    `SELECT json_structure(repeat('[', 100000) || repeat(']', 100000))`,
    `SELECT * FROM repeat_row(repeat('x', 1000000), num_rows = 10000000)`,
    `SELECT count(*) FROM (SELECT list(i) OVER (ORDER BY i) FROM range(1000000) t(i))`,
  ]),
  ...bound('fill the disk', [
    `SELECT * FROM range(1000000000) t(i) ORDER BY md5(i::VARCHAR) DESC, i`,
    `SELECT i, repeat(md5(i::VARCHAR), 20) AS s FROM range(1000000000) t(i) ORDER BY s`,
    `SELECT count(*) FROM (SELECT DISTINCT repeat(md5(i::VARCHAR), 20) FROM range(1000000000) t(i))`,
    `SELECT a.i FROM range(300000000) a(i) JOIN range(300000000) b(i) ON md5(a.i::VARCHAR) = md5(b.i::VARCHAR) ORDER BY 1`,
    `SELECT i, row_number() OVER (PARTITION BY i % 7 ORDER BY md5(i::VARCHAR)) AS n FROM range(1000000000) t(i) ORDER BY n`,
    `SELECT * FROM range(1000000000) t(i) UNION SELECT * FROM range(1000000000, 2000000000) ORDER BY 1 DESC`,
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
  {
    ...made(
      'overload the parser',
      `JSON 1,000,000 deep, read and given back`,
      () => `SELECT length(json(repeat('[', 1000000) || repeat(']', 1000000))::VARCHAR)`,
    ),
    outcomes: ['answer', ...BOUND, 'QUERY_INVALID'],
  },
  {
    ...made(
      'overload the parser',
      `a list nested 400 deep, as the answer`,
      () => `SELECT ${'['.repeat(400)}1${']'.repeat(400)}`,
    ),
    outcomes: ['answer', ...BOUND, 'QUERY_INVALID'],
  },
  {
    ...made(
      'overload the parser',
      `5,000 columns`,
      () => `SELECT ${Array.from({ length: 5_000 }, (_, i) => `${i} AS c${i}`).join()}`,
    ),
    outcomes: ['answer', ...BOUND, 'QUERY_INVALID'],
  },
  made(
    'overload the parser',
    `((a{0,100}){0,100}){0,100} as a pattern`,
    () => `SELECT regexp_matches(repeat('a', 100000), '((a{0,100}){0,100}){0,100}b')`,
  ),
]
