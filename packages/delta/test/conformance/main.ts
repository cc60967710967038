/**
 * `npm run test:conformance -w packages/delta`: reads every table of a folder (`DELTA_TABLES`, or the one beside the
 * repository) and ends with "N passed, N failed, N skipped". Exits with 1 when a table failed or none was tried.
 */
import { readCases } from './conformance-case.ts'
import { REFUSED_FEATURES, REFUSED_TABLES } from './refused.ts'
import { runCases, tablesFolder } from './run-folder.ts'

const folder = tablesFolder()
const cases = readCases(folder)
console.log(`${cases.length} tables of ${folder}`)
const verdicts = await runCases(cases, ({ kind, name, detail }) => console.log(`${kind} ${name}: ${detail}`))

console.log('\nNot read, by choice (packages/delta/test/conformance/refused.ts):')
for (const [name, reason] of Object.entries({ ...REFUSED_FEATURES, ...REFUSED_TABLES })) {
  console.log(`refused: ${name}: ${reason}`)
}
const failed = verdicts.filter((verdict) => verdict.kind === 'failed')
if (failed.length > 0) console.log(`\nFailed: ${failed.map(({ name }) => name).join(', ')}`)
if (cases.length === 0) console.log(`\nNo index.json or tables/*.tar.gz is in ${folder}; set DELTA_TABLES`)

const count = (kind: string) => verdicts.filter((verdict) => verdict.kind === kind).length
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`)
process.exitCode = failed.length > 0 || count('passed') === 0 ? 1 : 0
