/**
 * A process that carries out a history of operations on a table, from the one whose index comes on its input, and says on
 * its output when each begins and, at once, when it was acknowledged, and with which version. Arguments: folder of
 * the table, seed of the history.
 */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { DuckDbParquetEngine } from '../../src/duckdb/index.ts'
import { DeltaTable, LocalStorage } from '../../src/index.ts'
import { carryOut, operationAt } from './operations.ts'

const [root = '', seed = '0'] = process.argv.slice(2)
const engine = await DuckDbParquetEngine.open()
const [first] = (await once(process.stdin, 'data')) as [Buffer]
const table = await DeltaTable.open({ storage: new LocalStorage(root), engine })
for (let index = Number(first.toString()); ; index++) {
  writeSync(1, `begun ${index}\n`)
  const version = await carryOut(table, operationAt(Number(seed), index))
  writeSync(1, `done ${index} ${version}\n`)
}
