/**
 * `npm run faults -- [--full] [--seed N]`: the fault runs of every workspace, one after the other. `npm run faults -- simulate
 * [--seeds N] [--from S]` runs simulations only, `npm run faults -- crash [--cycles N]` kills of the server only.
 */
import { spawnSync } from 'node:child_process'

const SIMULATION = 'apps/arus/test/simulation/main.ts'
const CRASH = 'apps/arus/test/faults/crash/main.ts'
const SUITES = [
  'packages/event-log/test/faults/main.ts',
  'packages/delta/test/faults/main.ts',
  'apps/arus/test/faults/main.ts',
  CRASH,
]

const [first = '', ...rest] = process.argv.slice(2)
const isFull = process.argv.includes('--full')
const runs =
  first === 'simulate'
    ? [[SIMULATION, ...rest]]
    : first === 'crash'
      ? [[CRASH, ...rest]]
      : [
          [SIMULATION, '--seeds', isFull ? '1000000' : '5000'],
          ...SUITES.map((suite) => [suite, ...process.argv.slice(2)]),
        ]
let isWrong = false
for (const [suite = '', ...args] of runs) {
  console.log(`\n── ${suite} ${args.join(' ')}`)
  const { status } = spawnSync(process.execPath, [suite, ...args], { stdio: 'inherit' })
  isWrong ||= status !== 0
}
process.exit(isWrong ? 1 : 0)
