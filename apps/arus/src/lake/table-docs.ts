import { TABLES } from './tables/index.ts'

/** `docs/DATA.md`: every table of the lake, from its definition. `npm run docs` writes it; a test keeps it current. */
export function tableDocs(): string {
  const sections = TABLES.map(({ name, meaning, columns, partitionColumns }) => {
    const partition =
      partitionColumns.length === 0 ? '' : ` Partitioned by \`${partitionColumns.join('`, `')}\`.`
    const rows = columns.map(
      (column) => `| \`${column.name}\` | ${String(column.type)} | ${column.meaning} |`,
    )
    return [
      `## ${name}`,
      '',
      `${meaning}${partition}`,
      '',
      '| column | type | meaning |',
      '|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `${HEAD}\n${sections.join('\n\n')}\n`
}

const HEAD = `# Data

Every table of the lake: Delta tables below \`ARUS_DATA_DIR/<shop>/lake\`, which any Delta reader opens. Bronze is what came,
silver is typed, de-duplicated and joined, gold answers the usual questions. \`timestamp\` columns are instants in UTC with
microseconds. This page is generated from \`apps/arus/src/lake/tables\` by \`npm run docs\`.
`
