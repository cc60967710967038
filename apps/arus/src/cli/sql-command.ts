import { Command } from 'commander'
import type { QueryResult } from '../query/query-engine.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** `arus sql`: one SELECT over the lake. */
export function sqlCommand(context: CliContext): Command {
  return new Command('sql')
    .description('run one SELECT over the lake: bronze, silver and gold tables by name')
    .argument('<query>', 'for example: "SELECT * FROM gold.daily_funnel"')
    .option('--json', 'rows as a JSON array of objects')
    .option('--csv', 'rows as CSV')
    .option('--limit <rows>', 'rows printed at most', '10000')
    .action(async (query: string, options: { json?: boolean; csv?: boolean; limit: string }) => {
      const engine = await context.parts.query()
      const result = await engine.query(query, {
        rowLimit: Number(options.limit),
        timeoutMs: 600_000,
        signal: context.signal,
      })
      if (options.json) return context.out(JSON.stringify(objectsOf(result), null, 2))
      if (options.csv) return context.out(csvOf(result))
      context.out(tableOf(result))
      context.note(
        `${result.rows.length} rows${result.truncated ? ' (cut: more exist)' : ''}, ${Math.round(result.took_ms)} ms`,
      )
    })
}

function objectsOf({ columns, rows }: QueryResult): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])))
}

function csvOf({ columns, rows }: QueryResult): string {
  const cell = (value: unknown) => {
    const text = textOf(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [columns.map(({ name }) => cell(name)), ...rows.map((row) => row.map(cell))]
    .map((line) => line.join(','))
    .join('\n')
}

function tableOf({ columns, rows }: QueryResult): string {
  return textTable(
    columns.map(({ name }) => name),
    rows.map((row) => row.map((value) => (typeof value === 'number' ? value : textOf(value).slice(0, 80)))),
  )
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
