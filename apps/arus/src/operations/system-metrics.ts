import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { EventLog, GroupInfo, TopicInfo } from '@arus/event-log'
import type { LagHistoryBody, SystemMetrics } from '../api-schema/index.ts'
import type { SlotHealth } from './health.ts'
import { LagHistory, type LagSpan } from './lag-history.ts'
import type { RequestStatistics } from './request-statistics.ts'

const SAMPLE_INTERVAL_MS = 5_000
const HISTORY_LENGTH = 120
const STORAGE_MAX_AGE_MS = 15_000

export interface SystemMonitorOptions {
  readonly log: EventLog
  readonly requests: RequestStatistics
  readonly probe: () => Promise<SlotHealth[]>
  readonly tables: () => Promise<SystemMetrics['tables']>
  readonly storage: () => Promise<SystemMetrics['storage']>
  readonly now: () => number
}

interface Sample {
  readonly atMs: number
  readonly endOffsets: ReadonlyMap<string, number>
  readonly committed: ReadonlyMap<string, number>
}

type HistoryPoint = SystemMetrics['history'][number]

/**
 * Samples the log every 5 s, keeps ten minutes of throughput and a day of lag, and answers `GET /system/metrics` and
 * `GET /system/lag`.
 */
export class SystemMonitor {
  readonly #options: SystemMonitorOptions
  readonly #startedAtMs: number
  readonly #delay = monitorEventLoopDelay({ resolution: 20 })
  readonly #history: HistoryPoint[] = []
  readonly #lags = new LagHistory()
  readonly #timer: NodeJS.Timeout
  #last: Sample | null = null
  #rates: { readonly topics: ReadonlyMap<string, number>; readonly groups: ReadonlyMap<string, number> } = {
    topics: new Map(),
    groups: new Map(),
  }
  #cpu: { readonly usage: NodeJS.CpuUsage; readonly atMs: number }
  #cpuPercent = 0
  #storage: { readonly atMs: number; readonly value: Promise<SystemMetrics['storage']> } | null = null

  constructor(options: SystemMonitorOptions) {
    this.#options = options
    this.#startedAtMs = options.now()
    this.#cpu = { usage: process.cpuUsage(), atMs: options.now() }
    this.#delay.enable()
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_INTERVAL_MS)
    this.#timer.unref()
    void this.#sample()
  }

  uptimeSeconds(): number {
    return (this.#options.now() - this.#startedAtMs) / 1000
  }

  async metrics(): Promise<SystemMetrics> {
    const { log, probe, tables, now } = this.#options
    const [services, topics, groups, tableFacts, storage] = await Promise.all([
      probe(),
      // A log that is away is told among the services; the rest is shown all the same.
      log.topics().catch(() => []),
      log.groups().catch(() => []),
      tables(),
      this.#storageNow(),
    ])
    const http = this.#options.requests.figures()
    return {
      services,
      process: {
        uptime_seconds: this.uptimeSeconds(),
        memory_bytes: process.memoryUsage.rss(),
        cpu_percent: this.#cpuPercent,
        event_loop_delay_ms_p99: finite(this.#delay.percentile(99) / 1e6),
      },
      http: {
        requests_per_second: http.requestsPerSecond,
        latency_ms_p50: http.latencyMsP50,
        latency_ms_p99: http.latencyMsP99,
        errors_per_minute: http.errorsPerMinute,
      },
      topics: topics.map((topic) => this.#topicBody(topic)),
      consumer_groups: groups.map((group) => this.#groupBody(group)),
      tables: tableFacts,
      storage,
      history: this.#history,
      generated_at: now(),
    }
  }

  /** `GET /system/lag`. */
  lagHistory(span: LagSpan): LagHistoryBody {
    return this.#lags.body(span, this.#options.now())
  }

  close(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }

  #topicBody(topic: TopicInfo): SystemMetrics['topics'][number] {
    return {
      topic: topic.topic,
      size_bytes: topic.sizeBytes,
      messages: sum(topic.partitions.map((partition) => partition.endOffset - partition.startOffset)),
      messages_per_second: this.#rates.topics.get(topic.topic) ?? 0,
      partitions: topic.partitions.map((partition) => ({
        partition: partition.partition,
        start_offset: partition.startOffset,
        end_offset: partition.endOffset,
        newest_at: partition.newestTimestampMs,
      })),
    }
  }

  #groupBody(group: GroupInfo): SystemMetrics['consumer_groups'][number] {
    return {
      group: group.group,
      lag: sum(group.partitions.map((partition) => partition.lag)),
      lag_seconds: Math.max(0, ...group.partitions.map((partition) => partition.lagMs / 1000)),
      lost: sum(group.partitions.map((partition) => partition.lost)),
      processed_per_second: this.#rates.groups.get(group.group) ?? 0,
      partitions: group.partitions.map((partition) => ({
        topic: partition.topic,
        partition: partition.partition,
        committed_offset: partition.committedOffset,
        end_offset: partition.endOffset,
        lag: partition.lag,
        lag_seconds: partition.lagMs / 1000,
        lost: partition.lost,
      })),
    }
  }

  /** A sample that fails (the log is closing, say) is left out; the next one is due in 5 s. */
  async #sample(): Promise<void> {
    const { log, now, requests } = this.#options
    const [topics, groups] = await Promise.all([log.topics(), log.groups()]).catch(() => [[], []] as const)
    const sample: Sample = {
      atMs: now(),
      endOffsets: new Map(
        topics.map((topic) => [topic.topic, sum(topic.partitions.map((p) => p.endOffset))]),
      ),
      committed: new Map(
        groups.map((group) => [group.group, sum(group.partitions.map((p) => p.committedOffset))]),
      ),
    }
    this.#lags.record(groups, sample.atMs)
    const last = this.#last
    this.#last = sample
    this.#sampleCpu(sample.atMs)
    if (last === null || topics.length === 0) return
    const seconds = Math.max(0.001, (sample.atMs - last.atMs) / 1000)
    this.#rates = {
      topics: ratesBetween(last.endOffsets, sample.endOffsets, seconds),
      groups: ratesBetween(last.committed, sample.committed, seconds),
    }
    this.#history.push({
      at: sample.atMs,
      produced_per_second: sum([...this.#rates.topics.values()]),
      processed_per_second: sum([...this.#rates.groups.values()]),
      lag: sum(groups.flatMap((group) => group.partitions.map((partition) => partition.lag))),
      requests_per_second: requests.figures().requestsPerSecond,
    })
    if (this.#history.length > HISTORY_LENGTH) this.#history.shift()
  }

  #sampleCpu(atMs: number): void {
    const usage = process.cpuUsage()
    const usedMs = (usage.user + usage.system - this.#cpu.usage.user - this.#cpu.usage.system) / 1000
    if (atMs > this.#cpu.atMs) this.#cpuPercent = (100 * usedMs) / (atMs - this.#cpu.atMs)
    this.#cpu = { usage, atMs }
  }

  #storageNow(): Promise<SystemMetrics['storage']> {
    const atMs = this.#options.now()
    if (this.#storage === null || atMs - this.#storage.atMs > STORAGE_MAX_AGE_MS) {
      this.#storage = { atMs, value: this.#options.storage() }
    }
    return this.#storage.value
  }
}

function ratesBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  seconds: number,
): Map<string, number> {
  return new Map(
    [...after].map(([name, count]) => [name, Math.max(0, count - (before.get(name) ?? count)) / seconds]),
  )
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0
}
