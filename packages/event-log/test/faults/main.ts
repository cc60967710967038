/** `npm run faults`, the log's part: cuts of power between the two writes of a commit, zeroed pages, a full disk. */
import { parseArgs } from 'node:util'
import { fillDisk, whyNoSmallDisk } from './full-disk.ts'
import { seededRandom } from './seeded-random.ts'
import { tornCommits } from './torn-commits.ts'
import { zeroedPages } from './zeroed-pages.ts'

/** With more the appends of a case find room enough. */
const FREE_PAGES_MAX = 20

const { values } = parseArgs({
  options: { full: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
})
let isWrong = false

function report(name: string, wrong: readonly string[], text: string): void {
  isWrong ||= wrong.length > 0
  console.log(`${wrong.length === 0 ? 'ok   ' : 'WRONG'} ${name}: ${text}`)
  for (const line of wrong.slice(0, 10)) console.log(`      ${line}`)
}

const { cuts, pages, damaged, wrong } = await tornCommits(
  values.full ? 5_000 : 200,
  seededRandom(Number(values.seed)),
)
report(
  'log, power cut in a commit',
  wrong,
  `seed ${values.seed}, ${cuts} cuts, ${damaged} of ${pages} pages torn, zeroed or left out`,
)

const zeroed = await zeroedPages(values.full ? 1_000 : 20)
report(
  'log, one page zeroed',
  zeroed.wrong.map((page) => `page ${page}: something else was served`),
  `${zeroed.pages} pages, ${zeroed.detected} times told, ${zeroed.harmless} times nothing was missing`,
)

const whyNoDisk = whyNoSmallDisk()
if (whyNoDisk !== null) console.log(`skip  log, full disk: ${whyNoDisk}`)
for (let free = 0; whyNoDisk === null && free <= FREE_PAGES_MAX; free += values.full ? 1 : 4) {
  const found = await fillDisk(free)
  report(
    `log, full disk, ${free} pages left`,
    [
      ...found.wrong,
      ...(found.goesOn ? [] : ['it does not go on when there is room']),
      ...(found.failures.length > 0 ? [] : ['the disk was never full']),
      ...found.failures.filter((code) => code !== 'LOG_FULL'),
    ],
    `${found.acknowledgedWhileFull} more appends were acknowledged, ${found.failures.length} refused`,
  )
}
process.exit(isWrong ? 1 : 0)
