import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { explore } from '../catalogue/explore/explore.ts'
import { htmlReport } from '../catalogue/explore/html-report.ts'
import { writeSample } from '../catalogue/explore/sample.ts'
import { terminalReport } from '../catalogue/explore/terminal-report.ts'
import { ArusError } from '../errors.ts'
import { openDuckDb } from '../lake/duckdb.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

interface Options {
  readonly json?: boolean
  readonly html?: string
  readonly sample?: number
  readonly seed: number
  readonly out?: string
}

const MEMORY_BYTES = 1024 * 1024 * 1024

/** `arus explore`: an exact report on a catalogue file, or a reproducible sample of it. Needs no data folder. */
export function exploreCommand(context: CliContext): Command {
  return new Command('explore')
    .description(
      'report on a CSV file, exactly: types, missing values, duplicates, distributions, link to categories',
    )
    .argument('<products>', 'CSV, plain or gzip')
    .argument('[categories]', 'CSV, plain or gzip')
    .option('--json', 'the report as JSON')
    .option('--html <file>', 'write it as one page with plots')
    .option('--sample <rows>', 'write a reproducible sample instead', wholeNumber)
    .option('--seed <number>', 'of the sample', seedOf, 1)
    .option('--out <file>', 'where the sample goes; default <products>.sample.csv')
    .action(async (products: string, categories: string | undefined, options: Options) => {
      const temporaryFolder = await mkdtemp(join(tmpdir(), 'arus-explore-'))
      const duckdb = await openDuckDb({ temporaryFolder, memoryBytes: MEMORY_BYTES })
      try {
        if (options.sample !== undefined)
          return await sample(context, { products, options, duckdb, temporaryFolder })
        const { onProgress, signal } = context
        const report = await explore({
          productsFile: products,
          categoriesFile: categories ?? null,
          duckdb,
          temporaryFolder,
          onProgress,
          signal,
        })
        if (options.html !== undefined) {
          await writeFile(options.html, htmlReport(report)).catch((error: unknown) => {
            throw new ArusError(
              'FILE_UNREADABLE',
              `${options.html} could not be written: ${error instanceof Error ? error.message : error}`,
              { cause: error },
            )
          })
          context.note(`Written to ${options.html}`)
        }
        if (options.json) context.out(JSON.stringify(report, null, 2))
        else if (options.html === undefined) context.out(terminalReport(report, textTable))
      } finally {
        await duckdb.close()
        await rm(temporaryFolder, { recursive: true, force: true })
      }
    })
}

interface SampleRequest {
  readonly products: string
  readonly options: Options
  readonly duckdb: Awaited<ReturnType<typeof openDuckDb>>
  readonly temporaryFolder: string
}

async function sample(
  context: CliContext,
  { products, options, duckdb, temporaryFolder }: SampleRequest,
): Promise<void> {
  const outFile = options.out ?? `${products.replace(/(\.csv)?(\.gz)?$/i, '')}.sample.csv`
  const rows = await writeSample({
    productsFile: products,
    count: options.sample ?? 0,
    seed: options.seed,
    outFile,
    duckdb,
    temporaryFolder,
    onProgress: context.onProgress,
    signal: context.signal,
  })
  context.out(`${rows} rows in ${outFile} (seed ${options.seed})`)
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('expected a whole number above 0')
}

function seedOf(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('expected a whole number that is not negative')
}
