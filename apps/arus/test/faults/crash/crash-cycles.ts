import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateCatalogueFiles } from '../../../src/catalogue/generate.ts'
import { seededRandom } from '../../../src/catalogue/seeded-random.ts'
import { freePort, type Place } from '../../end-to-end/running-arus.ts'
import { FileWatch } from './file-watch.ts'
import { askForRecommendations, LANES, type LaneOptions, listen, runLane } from './lanes.ts'
import { Ledger, markOf } from './ledger.ts'
import { OutsideView } from './outside-view.ts'
import { ServerProcess, type Victim } from './server-process.ts'

/** Kills, by what was under way when they came. */
export interface KillHits {
  /** An append: its events were written and never acknowledged, or not written, the request unanswered. */
  readonly append: number
  /** Of these: written, not acknowledged. */
  readonly unacknowledgedButWritten: number
  /** Live state had not stored yet what the log held. */
  readonly live: number
  /** A commit of the lake or a refinement: files that no commit names. */
  readonly lake: number
}

export interface CrashReport {
  readonly cycles: number
  readonly acknowledgedEvents: number
  readonly recommendations: number
  readonly streamMessages: number
  readonly hits: KillHits
  /** From starting the process again to its saying that it is ready, sorted. */
  readonly readyMs: readonly number[]
  /** What did not hold; empty is right. */
  readonly wrong: readonly string[]
}

export interface CrashOptions {
  readonly seed: number
  readonly cycles: number
  readonly onCycle?: (line: string) => void
}

const LOAD_MS_MAX = 1_500
const AFTER_ACKNOWLEDGEMENT_MS_MAX = 60
const FILE_WAIT_MS = 3_000
const ORPHANS_MS = 30_000
/** Followed by the lake so closely, kills meet its commits too. */
const LAKE_INTERVAL_MS = 150

/**
 * A real server under mixed load, killed at random moments after an acknowledgement, or as a file of the lake appears, and
 * started again on the same folder; what it then holds is looked at from outside. The moments come from the seed, what is
 * under way at them does not.
 */
export async function runCrashCycles({ seed, cycles, onCycle }: CrashOptions): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-crash-'))
  try {
    return await new CrashRun(folder, seed).run(cycles, onCycle ?? (() => {}))
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 })
  }
}

class CrashRun {
  readonly #folder: string
  readonly #random: () => number
  readonly #ledger = new Ledger()
  readonly #view: OutsideView
  readonly #readyMs: number[] = []
  readonly #hits = { append: 0, unacknowledgedButWritten: 0, live: 0, lake: 0 }
  #products: string[] = []
  #place: Place | null = null
  #args: readonly string[] = []

  constructor(folder: string, seed: number) {
    this.#folder = folder
    this.#random = seededRandom(seed).next
    this.#view = new OutsideView(join(folder, 'data'))
  }

  async run(cycles: number, onCycle: (line: string) => void): Promise<CrashReport> {
    let server = await this.#firstStart()
    for (let cycle = 0; cycle < cycles; cycle++) {
      const victim = this.#victim()
      const startedAtMs = Date.now()
      await this.#loadAndKill(server, victim)
      server = await this.#restartAndCheck(server, victim, startedAtMs)
      onCycle(
        `cycle ${cycle + 1}: ${victim} killed, ready after ${Math.round(this.#readyMs.at(-1) ?? 0)} ms, ` +
          `${this.#ledger.acknowledged.size} acknowledged, ${this.#wrong().length} wrong`,
      )
      if (this.#wrong().length > 0) break
    }
    await this.#resendUnanswered(server)
    await this.#view.readLog(this.#ledger)
    await this.#view.checkLakeWhole(server.apiUrl)
    await server.kill('group')
    return this.#report()
  }

  async #firstStart(): Promise<ServerProcess> {
    const files = await generateCatalogueFiles({
      folder: join(this.#folder, 'shop'),
      productCount: 300,
      seed: 1,
    })
    const lines = readFileSync(files.productsFile, 'utf8').split('\n').slice(1, 101)
    this.#products = lines.map((line) => line.split(',')[0] ?? '')
    this.#args = ['--products', files.productsFile, '--categories', files.categoriesFile]
    this.#place = {
      dataDir: join(this.#folder, 'data'),
      apiPort: await freePort(),
      dashboardPort: 0,
      settings: { ARUS_LAKE_INTERVAL_MS: String(LAKE_INTERVAL_MS), ARUS_SQL_PROCESSES: '1' },
    }
    return ServerProcess.start(this.#place, this.#args)
  }

  /** Mostly all at once; sometimes one process, as when memory runs out. */
  #victim(): Victim {
    const chance = this.#random()
    return chance < 0.7 ? 'group' : chance < 0.88 ? 'server' : 'lake'
  }

  async #loadAndKill(server: ServerProcess, victim: Victim): Promise<void> {
    const abort = new AbortController()
    const options: LaneOptions = {
      apiUrl: server.apiUrl,
      ledger: this.#ledger,
      products: this.#products,
      random: this.#random,
      signal: abort.signal,
    }
    const load = Promise.all([
      ...LANES.map((lane) => runLane(lane, options)),
      askForRecommendations(options),
      listen(options),
    ])
    await sleep(this.#random() * LOAD_MS_MAX)
    if (victim === 'lake') {
      await server.kill('lake')
      await sleep(this.#random() * LOAD_MS_MAX)
    }
    await this.#moment()
    await server.kill(victim === 'server' ? 'server' : 'group')
    abort.abort()
    await load
  }

  /** Just after an acknowledgement, or the moment a file of the lake appears. */
  async #moment(): Promise<void> {
    if (this.#random() < 0.4) {
      const watch = new FileWatch(join(this.#folder, 'data'), /(\.parquet|\.json)$/)
      await Promise.race([watch.next(), sleep(FILE_WAIT_MS)])
      watch.close()
      return
    }
    await Promise.race([this.#ledger.nextAcknowledgement(), sleep(FILE_WAIT_MS)])
    await sleep(this.#random() * AFTER_ACKNOWLEDGEMENT_MS_MAX)
  }

  async #restartAndCheck(killed: ServerProcess, victim: Victim, startedAtMs: number): Promise<ServerProcess> {
    if (this.#view.leftOvers(startedAtMs).length > 0) this.#hits.lake += 1
    // The processes of a server that was killed alone end by themselves, while the new one starts.
    if (victim !== 'server' && (await this.#view.isLiveBehind())) this.#hits.live += 1
    const server = await ServerProcess.start(this.#place!, this.#args)
    this.#readyMs.push(server.readyMs)
    await this.#view.readLog(this.#ledger)
    this.#countAppendHits()
    await this.#view.checkLive(server.apiUrl, this.#random)
    await this.#view.checkBronze(server.apiUrl)
    if (!(await killed.isAllGone(ORPHANS_MS)))
      this.#view.wrong.push(`processes of the killed ${victim} are still there:\n${killed.output}`)
    return server
  }

  #countAppendHits(): void {
    const unanswered = [...this.#ledger.unanswered.values()]
    if (unanswered.length > 0) this.#hits.append += 1
    if (unanswered.some(({ lane, first }) => this.#view.has(markOf(lane, first))))
      this.#hits.unacknowledgedButWritten += 1
  }

  /** What was never answered is sent again, as every client does, and counts once. */
  async #resendUnanswered({ apiUrl }: ServerProcess): Promise<void> {
    const abort = new AbortController()
    const options = {
      apiUrl,
      ledger: this.#ledger,
      products: this.#products,
      random: () => 1,
      signal: abort.signal,
    }
    const lanes = LANES.filter(({ name }) => this.#ledger.unanswered.has(name))
    const running = Promise.all(lanes.map((lane) => runLane(lane, options)))
    await sleep(300)
    abort.abort()
    await running
    if (this.#ledger.unanswered.size > 0) this.#view.wrong.push('a request was never answered')
  }

  #wrong(): string[] {
    return [...this.#ledger.wrong, ...this.#view.wrong]
  }

  #report(): CrashReport {
    return {
      cycles: this.#readyMs.length,
      acknowledgedEvents: this.#ledger.acknowledged.size,
      recommendations: this.#ledger.reads.recommendations,
      streamMessages: this.#ledger.reads.messages,
      hits: this.#hits,
      readyMs: this.#readyMs.toSorted((a, b) => a - b),
      wrong: this.#wrong(),
    }
  }
}
