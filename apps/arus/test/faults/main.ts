/**
 * `npm run faults -w apps/arus -- [--full]`: clients that never read against a real server, clocks set back and forth, a full
 * disk.
 * Ends with exit code 1 when memory grew, others waited, or an event was lost or doubled.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fullDiskUnderServer, whyNoSmallDisk } from './crash/full-disk.ts'
import { slowClients } from './slow-clients.ts'

const MORE_MEMORY_BYTES_MAX = 100 * 1024 * 1024
const LATENCY_FACTOR_MAX = 2
/** Below this a factor says nothing: a busy machine alone adds as much. */
const LATENCY_MS_FREE = 15

const { values } = parseArgs({
  // The seed is for the suites that run beside this one.
  options: { full: { type: 'boolean', default: false }, seed: { type: 'string' } },
})
let isWrong = false

function report(name: string, isRight: boolean, text: string): void {
  isWrong ||= !isRight
  console.log(`${isRight ? 'ok   ' : 'WRONG'} ${name}: ${text}`)
}

const jumps = values.full ? 1_000 : 50
const root = join(import.meta.dirname, '../../../..')
const { status } = spawnSync('vitest', ['run', 'apps/arus/src/live/clock-jumps.test.ts'], {
  cwd: root,
  env: { ...process.env, ARUS_FAULT_RUNS: String(jumps) },
  stdio: ['ignore', 'ignore', 'inherit'],
})
report('clock jumps', status === 0, `${jumps} histories of up to 12 jumps of up to ten years`)

const clients = await slowClients(values.full ? 10_000 : 500, values.full)
const { before, during } = clients.latencyMsP99
report(
  'clients that never read',
  clients.openCount === clients.clientCount &&
    clients.moreMemoryBytes < MORE_MEMORY_BYTES_MAX &&
    during < Math.max(LATENCY_MS_FREE, LATENCY_FACTOR_MAX * before) &&
    (clients.leftCount ?? 0) === 0,
  `${clients.openCount} of ${clients.clientCount} streams, ${Math.round(clients.moreMemoryBytes / 1024 / 1024)} MB more, ` +
    `p99 of recommendations ${before.toFixed(1)} ms, then ${during.toFixed(1)} ms, ` +
    (clients.leftCount === null ? 'dropping not waited for' : `${clients.leftCount} left in the end`),
)

const whyNoDisk = whyNoSmallDisk()
if (whyNoDisk !== null) console.log(`skip  full disk under a server: ${whyNoDisk}`)
else {
  const full = await fullDiskUnderServer()
  report(
    'full disk under a server',
    full.wrong.length === 0 && full.refused > 0 && full.acknowledgedAfterwards > 0,
    `${full.acknowledgedBefore} events acknowledged, while it was full ${full.acknowledgedWhileFull} more and ${full.refused} ` +
      `requests refused, ${full.acknowledgedAfterwards} events with room again, without a restart`,
  )
  for (const line of full.wrong.slice(0, 10)) console.log(`      ${line}`)
}
process.exit(isWrong ? 1 : 0)
