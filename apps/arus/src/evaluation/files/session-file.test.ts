import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { sessionsByGap } from '@arus/recommenders'
import { afterAll, describe, expect, test } from 'vitest'
import { sessionsOf } from '../../../../../packages/recommenders/test/session-examples.ts'
import { parseColumns, readSessionFile } from './session-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'arus-sessions-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function fileOf(content: string | Uint8Array): string {
  const file = join(folder, `${files++}.csv`)
  writeFileSync(file, content)
  return file
}

const items = new Map<string, number>()
async function read(content: string | Uint8Array, columns = 'session,item,time') {
  items.clear()
  const { events, rowCount, broken } = await readSessionFile(fileOf(content), parseColumns(columns), items)
  return {
    sessions: [...events.sessions],
    items: [...events.items],
    timesMs: [...events.timesMs],
    rowCount,
    broken: Object.fromEntries(broken),
  }
}

const ROWS = [
  ['a', '1', '1396860669.25'],
  ['b', '2', '1396860670'],
  ['a', '2', '1396860671'],
] as const
const EVENTS = {
  sessions: [0, 1, 0],
  items: [0, 1, 1],
  timesMs: [1396860669250, 1396860670000, 1396860671000],
}

function text(separator: string, lineEnd = '\n', rows: readonly (readonly string[])[] = ROWS): string {
  return [['session', 'item', 'time'], ...rows].map((row) => row.join(separator) + lineEnd).join('')
}

describe('files of sessions', () => {
  test.each([
    ['commas', text(',')],
    ['tabs', text('\t')],
    ['semicolons and Windows lines', text(';', '\r\n')],
    ['a byte order mark and blank lines', `\uFEFF${text(',').replace('\n', '\n\n')}\n`],
    ['no line end at the end', text(',').trimEnd()],
    ['gzip, whatever the name', gzipSync(text(','))],
    ['quotes', text(',').replaceAll('2,', '"2",').replace('a,1', '"a",1')],
  ])('with %s', async (_, content) => {
    expect(await read(content)).toMatchObject({ ...EVENTS, broken: {} })
  })

  test('columns by name in any order, and by number where there is no header', async () => {
    const other = 'x;when;"what, exactly";who\n;2014-04-07T08:51:09.25Z;1;a\n'
    const by = 'who,what,when'
    expect(await read(other.replace('"what, exactly"', 'what'), by)).toMatchObject({
      timesMs: [1396860669250],
    })
    expect(await read(text('\t').split('\n').slice(1).join('\n'), '1,2,3')).toMatchObject(EVENTS)
    expect(await read(text(' ').split('\n').slice(1).join('\n'), '1,2,3')).toMatchObject(EVENTS)
  })

  test('a quoted field may hold separators, quotes and line ends', async () => {
    const content = 'title,session,item,time\n"a ""fine"", \nlong one",s,7,5\nplain,s,8,6\n'
    expect(await read(content)).toMatchObject({ sessions: [0, 0], items: [0, 1], timesMs: [5_000, 6_000] })
  })

  test('ids are text: beyond 2^53 they stay apart', async () => {
    const content = text(',', '\n', [
      ['9007199254740992', '18446744073709551615', '1'],
      ['9007199254740993', '18446744073709551614', '1'],
    ])
    expect(await read(content)).toMatchObject({ sessions: [0, 1], items: [0, 1] })
  })

  test.each([
    ['seconds', '1396860669.25', 1396860669250],
    ['milliseconds', '1396860669250', 1396860669250],
    ['microseconds', '1396860669250000', 1396860669250],
    ['a date', '2014-04-07', 1396828800000],
    ['a date and time, in UTC', '2014-04-07 08:51:09', 1396860669000],
    ['a date and time that says so', '2014-04-07 08:51:09 UTC', 1396860669000],
    ['a time with a zone', '2014-04-07T10:51:09.250+02:00', 1396860669250],
  ])('times as %s', async (_, time, timeMs) => {
    expect(await read(text(',', '\n', [['a', '1', time]]))).toMatchObject({ timesMs: [timeMs] })
  })

  test('a date and milliseconds in two columns are added', async () => {
    const content = 's;i;ms;date\n1;7;526309;2016-05-09\n'
    expect(await read(content, 's,i,date+ms')).toMatchObject({ timesMs: [Date.UTC(2016, 4, 9) + 526309] })
  })

  test('broken rows are counted by what is wrong, the others are read', async () => {
    const rows = [
      ['', '1', '1'],
      ['a', '', '1'],
      ['a', '1', 'soon'],
      ['a', '1'],
      ['a', '1', '2014-01-01'],
      ...ROWS,
    ]
    expect(await read(text(',', '\n', [ROWS[0], ...rows]))).toMatchObject({
      items: [0, 0, 1, 1],
      rowCount: 9,
      broken: {
        'no session': { count: 1, firstLine: 3 },
        'no item': { count: 1, firstLine: 4 },
        'no time that can be read': { count: 3, firstLine: 5 },
      },
    })
  })

  test.each([
    ['nothing', '', /is empty/],
    ['other columns', 'a,b,c\n1,2,3\n', /no columns session, item, time; its first line is "a,b,c"/],
    [
      'no row that can be read',
      text(',', '\n', [['a', '1', 'x']]),
      /no row that can be read; 1 with no time/,
    ],
    ['half a gzip', gzipSync(text(',', '\n', Array(5_000).fill(ROWS[0]))).subarray(0, 60), /read to its end/],
  ])('a file with %s is refused in words', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message)
  })

  test('a file that is not there, and columns that are not three, are refused in words', async () => {
    await expect(readSessionFile(join(folder, 'none.csv'), parseColumns('a,b,c'), new Map())).rejects.toThrow(
      /cannot be opened/,
    )
    expect(() => parseColumns('a,b')).toThrow(/three names/)
  })
})

describe('sessions by gaps', () => {
  test('a visitor who is away for longer than the gap comes back to a new session', () => {
    const visits = sessionsOf([[0, 1, 2], [3]])
    // A minute between events, and 90 seconds before the last.
    visits.timesMs[2]! += 30_000
    expect([...sessionsByGap(visits, 60_000).sessions]).toEqual([1, 1, 2, 0])
    expect(sessionsByGap(visits, 60_000).sessionCount).toBe(3)
    expect([...sessionsByGap(visits, 90_000).sessions]).toEqual([1, 1, 1, 0])
    expect(() => sessionsByGap(visits, 0)).toThrow(expect.objectContaining({ code: 'MODEL_INPUT_INVALID' }))
  })
})

describe('npm run bench:quality -- --sessions', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../../../../../bench/quality.ts'), ...args], {
      encoding: 'utf8',
    })

  test('ends with one line of JSON', () => {
    const rows = Array.from({ length: 200 }, (_, n) => [`s${n >> 2}`, `i${(n * 7) % 11}`, String(n * 600)])
    const { stdout, status } = run(
      '--sessions',
      fileOf(text('\t', '\n', rows)),
      '--columns',
      'session,item,time',
    )
    expect(status).toBe(0)
    const told = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>
    expect(told).toMatchObject({
      kind: expect.any(String),
      'hit@20': expect.any(Number),
      'mrr@20': expect.any(Number),
      cpu_seconds: expect.any(Number),
      peak_memory_bytes: expect.any(Number),
    })
  })

  test('what is wrong is told without a stack trace', () => {
    const { stderr, status } = run('--sessions', join(folder, 'none.csv'), '--columns', 'a,b,c')
    expect(status).toBe(2)
    expect(stderr).toMatch(/none.csv cannot be opened/)
    expect(stderr).not.toContain('    at ')
  })
})

const yoochoose = join(
  process.env.ARUS_SHARED_DATA ?? join(import.meta.dirname, '../../../../../../shared/data'),
  'yoochoose-100k/yoochoose-clicks-100k_test.txt.gz',
)

test.skipIf(!existsSync(yoochoose))(
  'reads a file of session-rec (skipped where the shared data is not there)',
  async () => {
    const { events, broken } = await readSessionFile(
      yoochoose,
      parseColumns('SessionId,ItemId,Time'),
      new Map(),
    )
    expect(events.sessionCount).toBe(3_416)
    expect(events.items).toHaveLength(13_568)
    expect(broken.size).toBe(0)
  },
)
