import { Command } from 'commander'
import { importCatalogue } from '../catalogue/import.ts'
import { type ImportReport, REJECTION_REASONS, type RejectionReason } from '../catalogue/import-report.ts'
import { dataFolders } from '../config/settings.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

const TEXT_SHOWN_MAX = 60

/** `arus import products.csv [categories.csv]`: replaces the shop's catalogue by these files. */
export function importCommand(context: CliContext): Command {
  return new Command('import')
    .description('import a product catalogue: CSV, plain or gzip; importing a file again changes nothing')
    .argument('<products>', 'products: asin, title, stars, reviews, price, category_id or categoryName, …')
    .argument('[categories]', 'categories: id, category_name')
    .option('--json', 'print the report as JSON')
    .action(async (products: string, categories: string | undefined, options: { json?: boolean }) => {
      const { parts, onProgress, signal } = context
      const report = await importCatalogue({
        productsFile: products,
        categoriesFile: categories ?? null,
        lake: await parts.lake(),
        folder: dataFolders(parts.settings).catalogue,
        onProgress,
        signal,
        now: Date.now,
      })
      context.out(options.json ? JSON.stringify(report, null, 2) : reportText(report))
    })
}

/** The report for a person: totals, rows by reason, the first examples of each. */
function reportText(report: ImportReport): string {
  const count = (value: number) => value.toLocaleString('en')
  const lines = [
    `${count(report.rows_imported)} of ${count(report.rows_read)} rows imported in ${(report.took_ms / 1000).toFixed(1)} s, ${count(report.categories)} categories; catalogue ${report.catalogue_version}`,
  ]
  const reasons = Object.entries(report.rejected) as [RejectionReason, number][]
  if (reasons.length === 0) return lines.join('\n')
  lines.push(
    `${count(report.rows_dropped)} rows dropped; all reported rows are in bronze.rejected_products`,
    '',
    textTable(
      ['reason', 'rows', 'fate'],
      reasons.map(([reason, rows]) => [reason, rows, REJECTION_REASONS[reason]]),
    ),
    '',
    textTable(
      ['line', 'reason', 'detail', 'row'],
      report.examples.map(({ line, reason, detail, text }) => [line, reason, detail, shortened(text)]),
    ),
  )
  return lines.join('\n')
}

function shortened(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ')
  return flat.length > TEXT_SHOWN_MAX ? `${flat.slice(0, TEXT_SHOWN_MAX - 1)}…` : flat
}
