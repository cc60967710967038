import { checkName } from './quality-check.ts'
import type { TableDefinition } from './table-definition.ts'
import { TABLES } from './tables/index.ts'

/** `docs/DATA.md`: every table of the lake, from its definition. `npm run docs` writes it; a test keeps it current. */
export function tableDocs(): string {
  return `${HEAD}\n${TABLES.map(sectionOf).join('\n\n')}\n`
}

function sectionOf({ name, meaning, columns, checks, ...layout }: TableDefinition): string {
  const rows = columns.map(
    (column) => `| \`${column.name}\` | ${String(column.type)} | ${column.unit ?? ''} | ${column.meaning} |`,
  )
  const section = [
    `## ${name}`,
    '',
    `${meaning}${layoutOf(layout)}`,
    '',
    '| column | type | unit | meaning |',
    '|---|---|---|---|',
    ...rows,
  ]
  const byName = (severity: string) =>
    checks.filter((check) => check.severity === severity).map((check) => `\`${checkName(check)}\``)
  for (const [severity, words] of [
    ['error', 'Must hold'],
    ['warning', 'Worth a look'],
  ] as const) {
    if (byName(severity).length > 0) section.push('', `${words}: ${byName(severity).join(', ')}.`)
  }
  return section.join('\n')
}

function layoutOf({
  partitionColumns,
  clusterColumns,
}: Pick<TableDefinition, 'partitionColumns' | 'clusterColumns'>): string {
  const named = (columns: readonly string[]) => columns.map((column) => `\`${column}\``).join(', ')
  const partition = partitionColumns.length === 0 ? '' : ` Partitioned by ${named(partitionColumns)}.`
  const cluster =
    clusterColumns.length === 0 ? '' : ` Sorted by ${named(clusterColumns)} when files are put together.`
  return `${partition}${cluster}`
}

const HEAD = `# Data

Every table of the lake: Delta tables below \`ARUS_DATA_DIR/<shop>/lake\`, which any Delta reader opens. Bronze is what came,
silver is typed, de-duplicated and joined, gold answers the usual questions. \`timestamp\` columns are instants in UTC with
microseconds. Under each table stands what is checked of the rows written to it; \`gold.quality_results\` holds what the checks
found, and a check that fails keeps no row out. This page is generated from \`apps/arus/src/lake/tables\` by \`npm run docs\`.
`
