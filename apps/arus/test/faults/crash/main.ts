/**
 * `npm run faults -- crash [--full] [--cycles N] [--from CYCLE] [--seed S]`: a real server under load, killed and started again.
 * Every 25 cycles a new shop on a new folder, so that a run can be taken up where it was left: `--from`.
 */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { type CrashReport, runCrashCycles } from './crash-cycles.ts'

const CYCLES_PER_SHOP = 25
const READY_MS_MAX = 5_000

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    cycles: { type: 'string' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
  },
})
const cycles = Number(values.cycles ?? (values.full ? 500 : 25))
const seed = Number(values.seed)
const reports: CrashReport[] = []
for (let from = Number(values.from); from < cycles; from += CYCLES_PER_SHOP) {
  const report = await runCrashCycles({
    seed: seed + from,
    cycles: Math.min(CYCLES_PER_SHOP, cycles - from),
    onCycle: (line) => console.log(`      ${line}`),
  })
  reports.push(report)
  console.log(
    `      … ${said()}; to go on here: npm run faults -- crash --seed ${seed} --cycles ${cycles} --from ${from + CYCLES_PER_SHOP}`,
  )
  if (report.wrong.length > 0) break
}
const wrong = reports.flatMap((report) => report.wrong)
/** On a machine that others keep busy the time to start says nothing of Arus. */
const isBusy = loadavg()[0]! > availableParallelism()
const isRight = wrong.length === 0 && (slow() === 0 || isBusy)
console.log(`${isRight ? 'ok   ' : 'WRONG'} kill -9 of the server under load: seed ${seed}, ${said()}`)
for (const line of wrong.slice(0, 20)) console.log(`      ${line}`)
process.exit(isRight ? 0 : 1)

function readyMs(): number[] {
  return reports.flatMap((report) => report.readyMs).sort((a, b) => a - b)
}

function said(): string {
  const sum = (of: (report: CrashReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0)
  const ready = readyMs()
  return (
    `${sum((each) => each.cycles)} cycles, ${sum((each) => each.acknowledgedEvents)} events acknowledged; kills met an open ` +
    `append ${sum((each) => each.hits.append)} times (${sum((each) => each.hits.unacknowledgedButWritten)} written and not ` +
    `acknowledged), live state behind the log ${sum((each) => each.hits.live)}, a commit of the lake ${sum((each) => each.hits.lake)}; ` +
    `ready again after ${Math.round(ready[Math.floor(ready.length / 2)] ?? 0)} ms (median), ${Math.round(ready.at(-1) ?? 0)} ms at most` +
    (slow() > 0
      ? `, ${slow()} times over ${READY_MS_MAX} ms, load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`
      : '')
  )
}

function slow(): number {
  return readyMs().filter((ms) => ms > READY_MS_MAX).length
}
