import type { LogRecord } from '@arus/event-log'
import type { Ingest, IngestResult } from '../../src/events/ingest.ts'
import { createIngest } from '../../src/events/log-ingest.ts'
import { topicNames } from '../../src/events/topics.ts'
import { type LakeWriter, startBronzeCopier } from '../../src/lake/lake-writer.ts'
import { type LiveProcessor, startLiveProcessor } from '../../src/live/live-processor.ts'
import type { StateStore } from '../../src/state/state-store.ts'
import { BronzeInMemory, type LakeContent } from './bronze-in-memory.ts'
import type { Io } from './io.ts'
import { emptyLog, MemoryLog } from './memory-log.ts'
import { MemoryState, type StateContent } from './memory-state.ts'
import type { Plan, Sabotage } from './plan.ts'
import { offsetFirst } from './sabotage.ts'
import { type Owner, type Scheduler, WORLD } from './scheduler.ts'
import { noTurns, SharedState, type SharedTurns } from './shared-state.ts'

export const TOPICS = topicNames('shop')
export const IDEMPOTENCY_WINDOW_MS: number = 24 * 3_600_000
const WRITE_MS_MAX = 4
/** Until a process sees that its server is gone. */
const ALONE_MS_MAX = 100
const STALL_MS_MAX = 3_000
const READ_WAITS_SHARE = 0.15
const WAKE_MS_MAX = 20
const LAKE_RESTART_MS = 1_000

interface Server {
  readonly pid: Owner
  readonly live: LiveProcessor
  readonly ingest: Ingest
}

/** Where a server runs: its process, and what it is once it has started. */
interface Place {
  readonly member: string
  pid: Owner
  server: Server | null
}

interface LakeProcess {
  readonly pid: Owner
  readonly copier: LakeWriter
}

/** What hit, to show that a run was no idle one. */
export interface Hits {
  kills: number
  /** Kills while a write was under way. */
  killsInWrite: number
  /** Servers that ran while the lake's process of the one before was still copying. */
  orphans: number
  faults: number
  /** Those among them that hit a commit of live state. */
  failedCommits: number
  /** Times a server that shares live state came to lead. */
  leads: number
}

/** A machine with Arus on it: what is on its disk, and the processes that run now. */
export class SimulatedArus {
  readonly log = emptyLog()
  readonly state: StateContent = new Map()
  readonly turns: SharedTurns = noTurns()
  readonly lake: LakeContent = new Map()
  readonly hits: Hits = { kills: 0, killsInWrite: 0, orphans: 0, faults: 0, failedCommits: 0, leads: 0 }
  /** Ids of events whose append failed: before it was written, or after. */
  readonly uncertainIds = new Set<string>()
  /** How far the server's clock is off. */
  skewMs = 0
  readonly #first: Place = { member: 'one', pid: WORLD, server: null }
  readonly #second: Place = { member: 'two', pid: WORLD, server: null }
  lakeProcess: LakeProcess | null = null
  readonly #scheduler: Scheduler
  readonly #plan: Plan
  readonly #sabotage: Sabotage | null
  #lakePid: Owner = WORLD
  #pids = 0
  #isCalm = false
  readonly #writing = new Map<Owner, number>()

  constructor(scheduler: Scheduler, plan: Plan, sabotage: Sabotage | null) {
    this.#scheduler = scheduler
    this.#plan = plan
    this.#sabotage = sabotage
  }

  readonly now = (): number => Math.floor(this.#scheduler.nowMs) + this.skewMs

  /** The one with the lake's process; null while it is down. */
  get server(): Server | null {
    return this.#first.server
  }

  /** Null too where the plan has none. */
  get second(): Server | null {
    return this.#second.server
  }

  get isUp(): boolean {
    return this.lakeProcess !== null && this.#places.every(({ server }) => server !== null)
  }

  get #places(): readonly Place[] {
    return this.#plan.hasSecond ? [this.#first, this.#second] : [this.#first]
  }

  /** Starts what is down. A server that fails on the way is started again. */
  start(): void {
    for (const place of this.#places) if (place.pid === WORLD) this.#startServer(place)
    if (this.#lakePid === WORLD) this.#startLake()
  }

  /** No more faults; what is down is started. Whoever is frozen will be a while yet. */
  calm(): void {
    this.#isCalm = true
    this.skewMs = 0
    this.start()
  }

  killAll(): void {
    this.#killPlace(this.#first)
    this.#kill(this.#lakePid)
    this.#killPlace(this.#second)
    this.#lakePid = WORLD
    this.lakeProcess = null
  }

  killSecond(): void {
    this.#killPlace(this.#second)
  }

  /** One of the servers takes no step for a while. */
  freeze(forMs: number): void {
    const pids = this.#places.map(({ pid }) => pid).filter((pid) => pid !== WORLD)
    const pid = pids[this.#scheduler.random.below(Math.max(1, pids.length))]
    if (pid !== undefined && !this.#isCalm) this.#scheduler.freeze(pid, forMs)
  }

  #startServer(place: Place): void {
    const pid = ++this.#pids
    place.pid = pid
    const failed = () => {
      this.#scheduler.kill(pid)
      place.pid = WORLD
      this.#scheduler.schedule(200, 'server starts again', () => this.start(), WORLD)
    }
    const started = (server: Server) => {
      place.server = server
    }
    const serve = () => void this.#serve(pid, place.member).then(started, failed)
    this.#scheduler.schedule(5, 'server starts', serve, pid)
  }

  #killPlace(place: Place): void {
    this.#kill(place.pid)
    place.pid = WORLD
    place.server = null
  }

  /** The lake's process sees that its server is gone: it copies what is left and ends, while another may start. */
  killServer(): void {
    const orphan = this.lakeProcess
    this.#killPlace(this.#first)
    if (orphan === null) this.#kill(this.#lakePid)
    else this.#disconnect(orphan)
    this.#lakePid = WORLD
    this.lakeProcess = null
  }

  killLake(): void {
    this.#kill(this.#lakePid)
    this.#lakeEnded()
  }

  /** Gives a request to a server that listens now; false when there is none. */
  handle(events: readonly unknown[], answer: (result: IngestResult | Error) => void): boolean {
    const servers = this.#places.map(({ server }) => server).filter((each) => each !== null)
    const server = servers[servers.length < 2 ? 0 : this.#scheduler.random.below(servers.length)]
    if (server === undefined) return false
    const accept = () => {
      const accepted = server.ingest.accept(events)
      if (this.#sabotage !== 'acknowledged before written') return accepted
      accepted.catch(() => {})
      return Promise.resolve({ accepted: events.length, duplicates: 0, rejected: 0, errors: [] })
    }
    this.#scheduler.schedule(0, 'request', () => void accept().then(answer, answer), server.pid)
    return true
  }

  ioOf(pid: Owner): Io {
    const { random } = this.#scheduler
    return {
      wait: async (label) => {
        this.#writing.set(pid, (this.#writing.get(pid) ?? 0) + 1)
        const isStalled = !this.#isCalm && random.next() < this.#plan.stallShare
        const usualMs = this.#usualMs(label)
        await this.#scheduler.pause(isStalled ? STALL_MS_MAX : usualMs, label, pid)
        this.#writing.set(pid, (this.#writing.get(pid) ?? 0) - 1)
      },
      read: async (label) => {
        if (random.next() < READ_WAITS_SHARE)
          await this.#scheduler.pause(this.#plan.store.readMsMax, label, pid)
      },
      fault: (label) => {
        const { faultShare, store } = this.#plan
        const isCommit = label === 'state.commit'
        if (this.#isCalm || random.next() >= faultShare + (isCommit ? store.faultShare : 0)) return null
        this.hits.faults += 1
        if (isCommit) this.hits.failedCommits += 1
        return random.next() < 0.5 ? 'before' : 'after'
      },
      failing: (label) => this.#scheduler.pause(this.#plan.store.failMsMax, label, pid),
      later: (label, run) => void this.#scheduler.schedule(random.next() * WAKE_MS_MAX, label, run, pid),
    }
  }

  #usualMs(label: string): number {
    if (label === 'storage.put') return this.#plan.lakeWriteMsMax
    return label.startsWith('state.commit') ? this.#plan.store.commitMsMax : WRITE_MS_MAX
  }

  #failed(records: readonly LogRecord[]): void {
    for (const { value } of records) {
      const { event_id } = JSON.parse(Buffer.from(value).toString())
      if (event_id !== undefined) this.uncertainIds.add(event_id)
    }
  }

  async #serve(pid: Owner, member: string): Promise<Server> {
    const io = this.ioOf(pid)
    const log = new MemoryLog(this.log, io, (records) => this.#failed(records))
    for (const topic of Object.values(TOPICS))
      await log.ensureTopic(topic, { partitionCount: this.#plan.partitions })
    const state = this.#stateOf(member, io)
    const live = await startLiveProcessor({
      ...liveOptionsOf(this.now),
      pace: this.#plan.pace,
      log,
      state: this.#sabotage === 'offset before output' ? offsetFirst(state) : state,
    })
    live.onRole((isLeading) => {
      if (isLeading && this.#plan.hasSecond) this.hits.leads += 1
    })
    let ids = 0
    return {
      pid,
      live,
      ingest: createIngest({
        log,
        topics: TOPICS,
        isKnown: (eventIds) =>
          this.#sabotage === 'ids forgotten'
            ? Promise.resolve(eventIds.map(() => false))
            : live.isKnown(eventIds),
        now: this.now,
        newId: () => `given-${pid}-${ids++}`,
      }),
    }
  }

  #stateOf(member: string, io: Io): StateStore {
    if (!this.#plan.hasSecond) return new MemoryState(this.state, this.now, io)
    const { random } = this.#scheduler
    return new SharedState({
      content: this.state,
      turns: this.turns,
      member,
      now: this.now,
      io,
      random: () => random.next(),
      isUnfenced: this.#sabotage === 'unfenced leader',
    })
  }

  #startLake(): void {
    const pid = ++this.#pids
    this.#lakePid = pid
    const failed = () => {
      this.#scheduler.kill(pid)
      this.#lakeEnded()
    }
    this.#scheduler.schedule(10, 'lake starts', () => void this.#keepLake(pid).catch(failed), pid)
  }

  /** Its server starts it again. */
  #lakeEnded(): void {
    this.#lakePid = WORLD
    this.lakeProcess = null
    const again = () => {
      if (this.#lakePid === WORLD) this.#startLake()
    }
    this.#scheduler.schedule(LAKE_RESTART_MS, 'lake starts again', again, this.#first.pid)
  }

  async #keepLake(pid: Owner): Promise<void> {
    const io = this.ioOf(pid)
    const log = new MemoryLog(this.log, io)
    for (const topic of Object.values(TOPICS))
      await log.ensureTopic(topic, { partitionCount: this.#plan.partitions })
    const bronze = new BronzeInMemory(this.lake, { io, now: this.now, sabotage: this.#sabotage })
    const copier = startBronzeCopier({
      log,
      bronze,
      topics: TOPICS,
      intervalMs: this.#plan.lakeIntervalMs,
      batchRecords: 5 + this.#scheduler.random.below(40),
      onFault: () => {},
    })
    this.lakeProcess = { pid, copier }
    // Whoever erases a shopper, or waits for the lake, has it copied at once.
    if (this.#scheduler.random.next() < 0.5) copier.flush().catch(() => {})
  }

  #disconnect({ pid, copier }: LakeProcess): void {
    this.hits.orphans += 1
    const end = () => this.#scheduler.kill(pid)
    const delayMs = this.#scheduler.random.next() * ALONE_MS_MAX
    this.#scheduler.schedule(delayMs, 'lake is alone', () => void copier.stop().then(end, end), pid)
  }

  #kill(pid: Owner): void {
    if (pid === WORLD) return
    this.hits.kills += 1
    if ((this.#writing.get(pid) ?? 0) > 0) this.hits.killsInWrite += 1
    this.#scheduler.kill(pid)
  }
}

/** What live state runs by, here and when it is made anew to compare. */
export function liveOptionsOf(now: () => number) {
  return {
    topic: TOPICS.events,
    rejectedTopic: TOPICS.rejected,
    now,
    idempotencyWindowMs: IDEMPOTENCY_WINDOW_MS,
    categoryOf: (product: string) => (product === 'P0' ? null : `category of ${product}`),
    retryMs: 50,
  }
}
