import { Command } from 'commander'
import type { QualityReport } from '../api-schema/lake.ts'
import { qualityOf } from '../lake/quality-results.ts'
import { openTablePages, type TablePages } from '../lake/table-pages.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

const VERSIONS_SHOWN = 10

/** `arus tables`: the lake's tables, or the columns, versions and health of one. */
export function tablesCommand(context: CliContext): Command {
  return new Command('tables')
    .description('list the tables of the lake; with a name, its columns, last versions and health')
    .argument('[table]', 'for example silver.events')
    .option('--json', 'print as JSON')
    .action(async (table: string | undefined, options: { json?: boolean }) => {
      const pages = await pagesOf(context)
      const answer = table === undefined ? await allTables(pages) : await oneTable(pages, table)
      context.out(options.json ? JSON.stringify(answer.json, null, 2) : answer.text)
    })
}

interface Answer {
  readonly json: unknown
  readonly text: string
}

async function pagesOf({ parts }: CliContext): Promise<TablePages> {
  const lake = await parts.lake()
  return openTablePages({
    lake,
    quality: (name) => qualityOf(lake, name),
    now: Date.now,
  })
}

async function allTables(pages: TablePages): Promise<Answer> {
  const tables = (await pages.list()).filter(({ version }) => version !== null)
  const rows = tables.map((table) => [
    table.name,
    table.version ?? '',
    table.rows,
    table.files,
    table.health?.small_files ?? 0,
    Math.round(table.size_bytes / 1024),
    timeText(table.updated_at),
    table.health?.status ?? '',
  ])
  const text =
    tables.length === 0
      ? 'The lake is empty: "arus import" or "npm start" fills it.'
      : textTable(['table', 'version', 'rows', 'files', 'small', 'kB', 'updated (UTC)', 'health'], rows)
  return { json: tables, text }
}

async function oneTable(pages: TablePages, name: string): Promise<Answer> {
  const detail = await pages.detail(name)
  const history = await pages.history(name, { limit: VERSIONS_SHOWN })
  const columns = detail.columns.map(({ name: column, type, unit, meaning }) => [
    column,
    type,
    unit === null ? (meaning ?? '') : `${meaning ?? ''} [${unit}]`,
  ])
  const versions = history.map(({ version, at, operation }) => [version, timeText(at), operation])
  return {
    json: { ...detail, history },
    text: [
      `${detail.name}: ${detail.meaning}`,
      textTable(['column', 'type', 'meaning'], columns),
      ...(detail.quality?.length ? [qualityTable(detail.quality)] : []),
      textTable(['version', 'at (UTC)', 'operation'], versions),
      `${detail.rows} rows in ${detail.files} files, ${detail.health.small_files} of them small; health: ${detail.health.status}`,
      ...detail.health.reasons.map((reason) => `- ${reason}`),
    ].join('\n\n'),
  }
}

function qualityTable(results: readonly QualityReport[]): string {
  const rows = results.map(({ check, severity, checked_rows, failing_rows, sample_keys, checked_at }) => [
    check,
    failing_rows === 0 ? 'ok' : severity,
    failing_rows,
    checked_rows,
    checked_at.slice(0, 19),
    sample_keys ?? '',
  ])
  return textTable(['check', 'result', 'failing', 'checked', 'at (UTC)', 'for example'], rows)
}

function timeText(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString().slice(0, 19)
}
