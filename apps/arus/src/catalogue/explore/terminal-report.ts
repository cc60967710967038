import type { ColumnFacts, ExploreReport, Histogram } from './report.ts'

const BAR_WIDTH = 40
const BLOCKS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** Lays out rows as text; the command line passes its own table. */
export type TableLayout = (
  headers: readonly string[],
  rows: readonly (readonly (string | number)[])[],
) => string

/** The report for a terminal, histograms drawn. */
export function terminalReport(report: ExploreReport, table: TableLayout): string {
  const { file, columns, duplicates, samples, categories, five_vs } = report
  const numeric = columns.filter((column) => column.statistics !== null)
  const parts = [
    heading('File'),
    `${file.path}\n${figure(file.rows)} rows × ${file.columns} columns, ${figure(file.size_bytes / 1e6)} MB; ${figure(file.unreadable_rows)} unreadable rows`,
    heading('Columns'),
    table(['column', 'type', 'missing', 'missing %', 'distinct', 'length'], columns.map(columnRow)),
    heading('Duplicates'),
    `${figure(duplicates.rows)} rows repeat an earlier row${duplicates.asin === null ? '' : `; ${figure(duplicates.asin)} repeat an earlier asin`}`,
    heading('Statistics'),
    table(
      ['column', 'count', 'mean', 'std', 'min', '25 %', 'median', '75 %', 'max', 'zeros'],
      numeric.map(statisticsRow),
    ),
    ...numeric.flatMap((column) =>
      column.histogram === null
        ? []
        : [heading(`${column.name} (${column.histogram.scale} bins)`), histogram(column.histogram)],
    ),
    heading('Most frequent values'),
    ...columns.map(
      (column) =>
        `${column.name}: ${column.top
          .slice(0, 5)
          .map(({ value, count }) => `${value.slice(0, 40)} (${figure(count)})`)
          .join(', ')}`,
    ),
    heading('Samples'),
    ...samples.map((row) =>
      Object.entries(row)
        .map(([name, value]) => `${name}=${(value ?? '–').slice(0, 40)}`)
        .join('  '),
    ),
  ]
  if (categories !== null) {
    parts.push(
      heading('Products and categories'),
      `${figure(categories.categories)} categories; ${figure(categories.unmatched_products)} products of an unknown one${categories.unmatched_ids.length > 0 ? ` (${categories.unmatched_ids.join(', ')})` : ''}; ${figure(categories.unused)} categories without a product`,
      table(
        ['largest categories', 'products'],
        categories.largest.map(({ name, products }) => [name, products]),
      ),
    )
  }
  parts.push(heading('The five Vs'))
  for (const { name, figures } of five_vs) {
    parts.push(
      `${name.padEnd(9)} ${figures.map(({ what, value, unit }) => `${what}: ${figure(value)} ${unit}`).join('; ') || 'nothing in this file tells'}`,
    )
  }
  return `${parts.join('\n')}\n\n${(report.took_ms / 1000).toFixed(1)} s; all figures are exact`
}

function columnRow({
  name,
  type,
  missing,
  missing_share,
  distinct,
  length,
}: ColumnFacts): (string | number)[] {
  return [
    name,
    type,
    missing,
    (100 * missing_share).toFixed(2),
    distinct,
    length === null ? '' : `${length.min}–${length.max}`,
  ]
}

function statisticsRow({ name, statistics }: ColumnFacts): string[] {
  if (statistics === null) return [name]
  const { count, mean, std, min, q25, median, q75, max, zeros } = statistics
  return [name, ...[count, mean, std ?? Number.NaN, min, q25, median, q75, max, zeros].map(figure)]
}

function histogram({ bins }: Histogram): string {
  const most = Math.max(1, ...bins.map((bin) => bin.count))
  return bins
    .map(
      ({ from, to, count }) =>
        `${`${figure(from)} – ${figure(to)}`.padStart(24)}  ${bar((BAR_WIDTH * count) / most)} ${figure(count)}`,
    )
    .join('\n')
}

function bar(width: number): string {
  return '█'.repeat(Math.floor(width)) + BLOCKS[Math.floor((width % 1) * 8)]
}

function heading(text: string): string {
  return `\n── ${text}`
}

function figure(value: number): string {
  return Number.isNaN(value) ? '–' : new Intl.NumberFormat('en', { maximumFractionDigits: 4 }).format(value)
}
