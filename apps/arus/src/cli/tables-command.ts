import { Command } from 'commander'
import type { QualityResult } from '../lake/check-quality.ts'
import { lastQualityResults } from '../lake/quality-results.ts'
import { definitionOf, tableName } from '../lake/tables/index.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** `arus tables`: the lake's tables, or the columns, checks and history of one. */
export function tablesCommand(context: CliContext): Command {
  return new Command('tables')
    .description(
      'list the tables of the lake; with a name, its columns, what its checks found and its last versions',
    )
    .argument('[table]', 'for example silver.events')
    .option('--json', 'print as JSON')
    .action(async (table: string | undefined, options: { json?: boolean }) => {
      const answer = table === undefined ? await allTables(context) : await oneTable(context, table)
      context.out(options.json ? JSON.stringify(answer.json, null, 2) : answer.text)
    })
}

interface Answer {
  readonly json: unknown
  readonly text: string
}

async function allTables(context: CliContext): Promise<Answer> {
  const infos = await (await context.parts.lake()).describe()
  const rows = infos.map(({ name, version, rowCount, fileCount, sizeBytes, updatedAtMs }) => [
    name,
    version,
    rowCount,
    fileCount,
    Math.round(sizeBytes / 1024),
    updatedAtMs === null ? '' : new Date(updatedAtMs).toISOString().slice(0, 19),
  ])
  const text =
    infos.length === 0
      ? 'The lake is empty: "arus import" or "npm start" fills it.'
      : textTable(['table', 'version', 'rows', 'files', 'kB', 'updated (UTC)'], rows)
  return { json: infos, text }
}

async function oneTable(context: CliContext, text: string): Promise<Answer> {
  const name = tableName(text)
  const definition = definitionOf(name)
  const lake = await context.parts.lake()
  const history = await (await lake.table(name)).history(10)
  const quality = await lastQualityResults(lake, name)
  const columns = definition.columns.map(({ name: column, type, unit, meaning }) => [
    column,
    String(type),
    unit ?? '',
    meaning,
  ])
  const versions = history.map(({ version, timestampMs, operation }) => [
    version,
    new Date(timestampMs).toISOString(),
    operation,
  ])
  const sections = [
    `${name}: ${definition.meaning}`,
    textTable(['column', 'type', 'unit', 'meaning'], columns),
    ...(quality.length === 0 ? [] : [qualityTable(quality)]),
    textTable(['version', 'at', 'operation'], versions),
  ]
  return { json: { ...definition, history, quality }, text: sections.join('\n\n') }
}

function qualityTable(results: readonly QualityResult[]): string {
  const rows = results.map(({ check, severity, checkedRows, failingRows, sampleKeys, checkedAtMs }) => [
    check,
    failingRows === 0 ? 'ok' : severity,
    failingRows,
    checkedRows,
    new Date(checkedAtMs).toISOString().slice(0, 19),
    failingRows === 0 ? '' : sampleKeys.map((key) => JSON.stringify(key)).join(' '),
  ])
  return textTable(['check', 'result', 'failing', 'checked', 'at (UTC)', 'for example'], rows)
}
