import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { text as textOfStream } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ArusError } from '../errors.ts'
import { SQL_FORMATS, type SqlAnswer, type SqlFormat } from '../query/lake-sql.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

interface SqlCommandOptions {
  readonly format: SqlFormat | 'table'
  readonly output?: string
  readonly limit: number
  readonly at?: string
  readonly timeout: number
}

const CELL_WIDTH_MAX = 80

/** `arus sql`: one SELECT over the lake, with or without a running server. */
export function sqlCommand(context: CliContext): Command {
  return new Command('sql')
    .description('run one SELECT over the lake: bronze, silver and gold tables by name')
    .argument(
      '<query>',
      'for example "SELECT * FROM gold.daily_funnel"; a file with @FILE, standard input with -',
    )
    .addOption(
      new Option('--format <format>', 'how rows are written')
        .choices(['table', ...SQL_FORMATS])
        .default('table'),
    )
    .option('--output <file>', 'write the rows to a file')
    .option('--limit <rows>', 'rows at most', wholeNumber, 10_000)
    .option(
      '--at <moment>',
      'a version, or an instant (ISO 8601), for every table the query does not pin itself',
    )
    .option('--timeout <seconds>', 'time at most', wholeNumber, 600)
    .action(async (query: string, options: SqlCommandOptions) => {
      if (!isWritable(options)) {
        throw new ArusError(
          'REQUEST_INVALID',
          `${options.format} is not for a terminal; name a file with --output`,
        )
      }
      const answer = await (await context.parts.sql()).ask({
        sql: await textOf(query),
        format: options.format === 'table' ? 'json' : options.format,
        rowLimit: options.limit,
        timeoutMs: options.timeout * 1_000,
        signal: context.signal,
        ...(options.at === undefined ? {} : { at: options.at }),
      })
      await write(answer, options)
      context.note(summaryOf(answer))
    })
}

/** The query itself, or what `@FILE` or `-` lead to. */
async function textOf(query: string): Promise<string> {
  if (query === '-') return textOfStream(process.stdin)
  if (!query.startsWith('@')) return query
  return readFile(query.slice(1), 'utf8').catch((error: unknown) => {
    throw new ArusError('FILE_UNREADABLE', `${query.slice(1)} cannot be read`, { cause: error })
  })
}

function isWritable({ format, output }: SqlCommandOptions): boolean {
  return output !== undefined || !process.stdout.isTTY || !(format === 'arrow' || format === 'parquet')
}

async function write(answer: SqlAnswer, { format, output }: SqlCommandOptions): Promise<void> {
  const target = output === undefined ? process.stdout : createWriteStream(output)
  await pipeline(Readable.from(piecesOf(answer, format)), target, { end: output !== undefined })
}

async function* piecesOf(
  answer: SqlAnswer,
  format: SqlCommandOptions['format'],
): AsyncGenerator<Uint8Array | string> {
  if (format === 'table' || format === 'json') {
    const rows = JSON.parse(await textOfStream(Readable.from(answer.body))) as unknown[][]
    yield format === 'table'
      ? `${tableOf(answer, rows)}\n`
      : `${JSON.stringify(objectsOf(answer, rows), null, 2)}\n`
    return
  }
  yield* answer.body
}

function objectsOf({ columns }: SqlAnswer, rows: readonly (readonly unknown[])[]): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])))
}

function tableOf({ columns }: SqlAnswer, rows: readonly (readonly unknown[])[]): string {
  return textTable(
    columns.map(({ name }) => name),
    rows.map((row) =>
      row.map((value) => (typeof value === 'number' ? value : cellOf(value).slice(0, CELL_WIDTH_MAX))),
    ),
  )
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function summaryOf({ rowCount, isTruncated, tookMs, tableVersions }: SqlAnswer): string {
  const versions = Object.entries(tableVersions).map(([name, version]) => `${name} v${version}`)
  const from = versions.length === 0 ? '' : `, from ${versions.join(', ')}`
  return `${rowCount} rows${isTruncated ? ' (more exist)' : ''}, ${Math.round(tookMs)} ms${from}`
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('A whole number above 0 is needed.')
}
