/** `npm run faults -- [--full]`: the fault runs of every workspace, one after the other. */
import { spawnSync } from 'node:child_process'

const suites = ['packages/delta/test/faults/main.ts', 'apps/arus/test/faults/main.ts'] as const
let isWrong = false
for (const suite of suites) {
  console.log(`\n── ${suite}`)
  const { status } = spawnSync(process.execPath, [suite, ...process.argv.slice(2)], { stdio: 'inherit' })
  isWrong ||= status !== 0
}
process.exit(isWrong ? 1 : 0)
