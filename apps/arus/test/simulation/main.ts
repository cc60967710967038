/**
 * `npm run faults -- simulate [--seeds N] [--from S] [--plan JSON]`: simulations of intake, log, live state and lake, one for
 * each seed. The first that fails is made as small as it goes and printed with the command that runs just it.
 */
import { parseArgs } from 'node:util'
import { shrink } from './shrink.ts'
import { type SimulationResult, simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    plan: { type: 'string', default: '{}' },
  },
})
const [count, from] = [Number(values.seeds), Number(values.from)]
const plan = JSON.parse(values.plan)
const startedAt = Date.now()
const sums = {
  seeds: 0,
  steps: 0,
  acknowledged: 0,
  kills: 0,
  killsInWrite: 0,
  orphans: 0,
  faults: 0,
  failedCommits: 0,
  leads: 0,
}
const found: SimulationResult[] = []

await simulate(
  Array.from({ length: count }, (_, i) => from + i),
  (result) => {
    add(result)
    if (result.wrong.length > 0) found.push(result)
    if (count === 1)
      console.log(`trace ${result.traceHash}, ${result.steps} steps, plan ${JSON.stringify(result.plan)}`)
    if (sums.seeds % 5_000 === 0) console.log(`      … seed ${result.seed}: ${said()}`)
  },
  { plan },
)
console.log(
  `${found.length === 0 ? 'ok   ' : 'WRONG'} simulation, seeds ${from} to ${from + count - 1}: ${said()}`,
)
for (const result of found.slice(0, 10)) print(result)
if (found[0] !== undefined && count > 1) {
  const smallest = await shrink(found[0])
  console.log('made smaller:')
  print(smallest)
}
process.exit(found.length === 0 ? 0 : 1)

function add({ steps, acknowledged, hits }: SimulationResult): void {
  sums.seeds += 1
  sums.steps += steps
  sums.acknowledged += acknowledged
  sums.kills += hits.kills
  sums.killsInWrite += hits.killsInWrite
  sums.orphans += hits.orphans
  sums.faults += hits.faults
  sums.failedCommits += hits.failedCommits
  sums.leads += hits.leads
}

function said(): string {
  const { seeds, steps, acknowledged, kills, killsInWrite, orphans, faults, failedCommits, leads } = sums
  return (
    `${seeds} seeds in ${((Date.now() - startedAt) / 1000).toFixed(1)} s, ${steps} steps, ${acknowledged} events ` +
    `acknowledged, ${kills} kills, ${killsInWrite} inside a write, ${orphans} lakes that outlived their server, ` +
    `${faults} failed writes, ${failedCommits} of them commits of live state, ${leads} times a server of two came to lead, ${found.length} seeds wrong`
  )
}

function print({ seed, plan: whole, wrong }: SimulationResult): void {
  console.log(`  npm run faults -- simulate --seeds 1 --from ${seed} --plan '${JSON.stringify(whole)}'`)
  for (const line of wrong) console.log(`    ${line}`)
}
