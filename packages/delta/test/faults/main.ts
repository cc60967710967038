/**
 * `npm run faults -w packages/delta -- [--full] [--seed N]`: crashes, a full disk and I/O errors, with what they hit;
 * `… -- operations [--cycles N] [--lanes N] [--seed N]`: kills in the middle of every kind of operation only. Ends with
 * exit code 1 when a commit was lost, doubled, denied or torn, or something was left behind.
 */
import { parseArgs } from 'node:util'
import type { Verdict } from './append-loop.ts'
import { fillDisk, type Resource, whyNoSmallDisk } from './full-disk.ts'
import { callsOf, failCall, type IoErrorCase, isHonest, STEPS, whyNoInjection } from './io-errors.ts'
import { type KillReport, runKillCycles } from './kill-cycles.ts'
import { type OperationKillReport, runOperationKills } from './operation-kills.ts'

const { values, positionals } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    cycles: { type: 'string' },
    lanes: { type: 'string', default: '2' },
  },
  allowPositionals: true,
})
const provedKillsMin = values.full ? 1_000 : 60
const freeMax = values.full ? 24 : 8
let isWrong = false

function report(name: string, isRight: boolean, text: string): void {
  isWrong ||= !isRight
  console.log(`${isRight ? 'ok   ' : 'WRONG'} ${name}: ${text}`)
}

function isClean({ lost, doubled, denied, gaps }: Verdict): boolean {
  return lost.length + doubled.length + denied.length + gaps.length === 0
}

function sayOperations({ cycles, acknowledged, byOperation }: OperationKillReport): string {
  const each = [...byOperation].map(([name, { kills, proved }]) => `${name} ${proved} of ${kills}`)
  return `${cycles} cycles, ${acknowledged} operations acknowledged; kills proved to be inside: ${each.join(', ')}`
}

async function killOperations(): Promise<void> {
  const operations = await runOperationKills({
    cycles: Number(values.cycles ?? (values.full ? 1_000 : 60)),
    seed: Number(values.seed),
    lanes: Number(values.lanes),
    onTable: (sofar) => console.log(`      … ${sayOperations(sofar)}`),
  })
  report('kill -9 in every operation', operations.wrong.length === 0, sayOperations(operations))
  for (const what of operations.wrong) console.log(`      ${what}`)
}

function say({ kills, provedKills, acknowledged }: KillReport): string {
  return `${kills} kills, ${provedKills} proved to be inside a commit, ${acknowledged} appends acknowledged`
}

await killOperations()
if (positionals.includes('operations')) process.exit(isWrong ? 1 : 0)

const kills = await runKillCycles({
  provedKillsMin,
  seed: Number(values.seed),
  onTable: (sofar) => console.log(`      … ${say(sofar)}`),
})
const isEachClean = kills.verdicts.every(isClean)
report('kill -9', isEachClean && kills.leftOvers.length === 0, say(kills))
for (const verdict of kills.verdicts.filter((each) => !isClean(each))) console.log(verdict)
for (const path of kills.leftOvers) console.log(`      left over: ${path}`)

const whyNoDisk = whyNoSmallDisk()
if (whyNoDisk !== null) console.log(`skip  full disk: ${whyNoDisk}`)
for (const resource of whyNoDisk === null ? (['pages', 'names'] satisfies Resource[]) : []) {
  for (let free = 0; free <= freeMax; free++) {
    const found = await fillDisk(resource, free)
    const isRight =
      isClean(found.verdict) && found.temporaryFiles.length === 0 && found.afterwards !== 'failed'
    report(`full disk, ${free} ${resource} left`, isRight, `appends came to ${found.outcomes.join(', ')}`)
    if (!isRight) console.log(found)
  }
}

const whyNoErrors = whyNoInjection()
if (whyNoErrors !== null) console.log(`skip  I/O errors: ${whyNoErrors}`)
for (const step of whyNoErrors === null ? STEPS : []) {
  for (const isPersistent of values.full ? [false, true] : [false]) {
    const cases: (IoErrorCase | null)[] = []
    for (const index of await callsOf(step)) cases.push(await failCall(step, index, isPersistent))
    const met = cases.filter((each) => each !== null)
    const wrong = met.filter((each) => !isClean(each.verdict) || !isHonest(each))
    report(
      `${step} fails ${isPersistent ? 'from then on' : 'once'}`,
      wrong.length === 0 && met.length > 0,
      `${met.length} of ${cases.length} calls met, ${met.reduce((sum, each) => sum + each.hits.length, 0)} failures`,
    )
    for (const each of wrong) console.log(each)
  }
}
process.exit(isWrong ? 1 : 0)
