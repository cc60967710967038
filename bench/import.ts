import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { generateCatalogueFiles } from '../apps/arus/src/catalogue/generate.ts'
import { measureProcess, type ProcessCost, printComparisons } from './measure.ts'

const FULL_SIZE = 1_426_337
/** Both sides in turn: CPU time of one and the same import differs by a fifth from minute to minute. */
const ROUNDS = 7
/** Of the smaller files, whose memory is looked at. */
const RUNS = 3
const THREADS = '2'
const main = join(import.meta.dirname, '../apps/arus/src/main.ts')

/**
 * `arus import` of a generated file, end to end in a process of its own, against plain DuckDB turning the same CSV into one
 * zstd Parquet file, in the same run: runs interleaved, medians compared.
 */
export async function benchImport(options: { readonly rows: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-import-'))
  try {
    const files = await generateCatalogueFiles({ folder, productCount: options.rows, seed: 1 })
    const ours: ProcessCost[] = []
    const plain: ProcessCost[] = []
    for (let round = 0; round < ROUNDS; round++) {
      plain.push(
        await measureProcess(process.execPath, [
          import.meta.filename,
          '--plain',
          files.productsFile,
          join(folder, 'plain.parquet'),
        ]),
      )
      ours.push(await importFiles(files, join(folder, `data-round-${round}`)))
    }
    await printMemoryBySize(folder, options.rows)
    const compare = (what: string, unit: string, budget: string, of: (cost: ProcessCost) => number) => ({
      what,
      ours: median(ours.map(of)),
      theirs: median(plain.map(of)),
      unit,
      budget,
    })
    const ratios = ours.map(({ cpuSeconds }, i) => cpuSeconds / plain[i]!.cpuSeconds)
    const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
    printComparisons(
      `Import of ${options.rows.toLocaleString('en')} rows, against DuckDB CSV → zstd Parquet (median of ${ROUNDS}, CPU ratios of a round: ${range})`,
      [
        compare('CPU', 's', 'ratio ≤ 3, then ≤ 1.5', (cost) => cost.cpuSeconds),
        compare('wall', 's', 'none', (cost) => cost.wallSeconds),
        compare('peak memory', 'MB', 'ours < 2,048 MB', (cost) => megabytes(cost.peakMemoryBytes)),
        compare('peak of it anonymous', 'MB', 'that of a quarter, at most 1.1 ×', (cost) =>
          megabytes(cost.peakAnonymousBytes),
        ),
      ],
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Peak memory of imports of a quarter and of half the rows, medians of `RUNS`: it must not grow as they do. */
async function printMemoryBySize(folder: string, rows: number): Promise<void> {
  for (const share of [4, 2]) {
    const productCount = Math.round(rows / share)
    const files = await generateCatalogueFiles({
      folder: mkdtempSync(join(folder, 'smaller-')),
      productCount,
      seed: 1,
    })
    const costs: ProcessCost[] = []
    for (let run = 0; run < RUNS; run++)
      costs.push(await importFiles(files, join(folder, `data-${share}-${run}`)))
    const of = (fact: (cost: ProcessCost) => number) => median(costs.map(fact))
    const cpu = of((cost) => cost.cpuSeconds).toFixed(2)
    const peak = Math.round(of((cost) => megabytes(cost.peakMemoryBytes)))
    const anonymous = Math.round(of((cost) => megabytes(cost.peakAnonymousBytes)))
    console.log(
      `  ${productCount.toLocaleString('en')} rows: ${cpu} CPU s, peak ${peak} MB, of it anonymous ${anonymous} MB`,
    )
  }
}

function megabytes(bytes: number): number {
  return bytes / 1024 / 1024
}

/** `arus import` in a process of its own, into a new data folder that is removed. */
async function importFiles(
  files: { readonly productsFile: string; readonly categoriesFile: string },
  dataFolder: string,
): Promise<ProcessCost> {
  try {
    return await measureProcess(
      process.execPath,
      [main, 'import', files.productsFile, files.categoriesFile, '--json'],
      { ARUS_DATA_DIR: dataFolder },
    )
  } finally {
    rmSync(dataFolder, { recursive: true, force: true })
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

/** The other side: what DuckDB does by itself, types found by its own sniffer. */
async function convertPlain(csvFile: string, parquetFile: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: THREADS })
  const connection = await instance.connect()
  await connection.run(
    `COPY (FROM read_csv('${csvFile}')) TO '${parquetFile}' (FORMAT parquet, COMPRESSION zstd)`,
  )
  connection.closeSync()
  instance.closeSync()
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { plain: { type: 'boolean' }, rows: { type: 'string', default: String(FULL_SIZE) } },
    allowPositionals: true,
  })
  if (values.plain) await convertPlain(positionals[0]!, positionals[1]!)
  else await benchImport({ rows: Number(values.rows) })
}
