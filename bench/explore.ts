import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateCatalogueFiles } from '../apps/arus/src/catalogue/generate.ts'
import { measureProcess, measurePythonPeer, printComparisons } from './measure.ts'

const FULL_SIZE = 1_426_337
const main = join(import.meta.dirname, '../apps/arus/src/main.ts')

/** `arus explore` on a generated full-size file against pandas and polars, whole processes, in the same run. */
export async function benchExplore(rowCount: number = FULL_SIZE): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-bench-explore-'))
  try {
    const { productsFile, categoriesFile } = await generateCatalogueFiles({
      folder,
      productCount: rowCount,
      seed: 1,
      onProgress: () => {},
      signal: new AbortController().signal,
    })
    const files = [productsFile, categoriesFile]
    const ours = await measureProcess(process.execPath, [main, 'explore', ...files], {
      ARUS_DATA_DIR: folder,
    })
    const pandas = await measurePythonPeer('explore_pandas.py', files, ['pandas'])
    const polars = await measurePythonPeer('explore_polars.py', files, ['polars'])
    const megabytes = (bytes: number) => bytes / 1024 / 1024
    printComparisons(`Exact report on ${rowCount.toLocaleString('en')} rows`, [
      {
        what: 'wall, against pandas',
        ours: ours.wallSeconds,
        theirs: pandas?.wallSeconds,
        unit: 's',
        budget: '< 1',
      },
      {
        what: 'memory, against pandas',
        ours: megabytes(ours.peakMemoryBytes),
        theirs: pandas && megabytes(pandas.peakMemoryBytes),
        unit: 'MB',
        budget: '≤ 0.33',
      },
      {
        what: 'CPU, against polars',
        ours: ours.cpuSeconds,
        theirs: polars?.cpuSeconds,
        unit: 's',
        budget: 'then ≤ 1',
      },
      {
        what: 'memory, against polars',
        ours: megabytes(ours.peakMemoryBytes),
        theirs: polars && megabytes(polars.peakMemoryBytes),
        unit: 'MB',
        budget: 'then ≤ 1',
      },
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) await benchExplore(process.argv[2] === undefined ? FULL_SIZE : Number(process.argv[2]))
