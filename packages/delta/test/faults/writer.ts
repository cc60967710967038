/**
 * A process that appends to a table and says on its output what it was told of each append, at once. Arguments: folder of
 * the table, name of the writer, number of appends, `log` or `parquet`, number of appends at once.
 */
import { writeSync } from 'node:fs'
import { DeltaTable, LocalStorage } from '../../src/index.ts'
import { appendOne, openLogTable, writeAnything, writeParquet } from './append-loop.ts'

const [root = '', writer = '', count = '0', kind = 'log', lanes = '1'] = process.argv.slice(2)
const storage = new LocalStorage(root)

async function openParquet(): Promise<DeltaTable> {
  const { DuckDbParquetEngine } = await import('../../src/duckdb/index.ts')
  return DeltaTable.open({ storage, engine: await DuckDbParquetEngine.open() })
}

async function append(lane: number): Promise<void> {
  const table = await (kind === 'parquet' ? openParquet() : openLogTable(storage))
  const writeData = kind === 'parquet' ? writeParquet : writeAnything
  for (let i = 0; i < Number(count); i++) {
    const { id, outcome } = await appendOne(table, `${writer}-${lane}-${i}`, writeData)
    writeSync(1, `${id} ${outcome}\n`)
  }
}

await Promise.all(Array.from({ length: Number(lanes) }, (_, lane) => append(lane)))
process.exit(0)
