import { SingleBar } from 'cli-progress'
import type { OnProgress, ProgressReport } from '../progress.ts'

const PLAIN_INTERVAL_MS = 5_000

/** Shows progress while a command works; `finish` must be called before other output. */
export interface ProgressDisplay {
  readonly onProgress: OnProgress
  finish(): void
}

/** A bar with rate and time left on a terminal; elsewhere a line when a step begins, every 5 s, and when it ends. */
export function createProgressDisplay(
  stream: NodeJS.WriteStream,
  now: () => number = Date.now,
): ProgressDisplay {
  return stream.isTTY ? new BarDisplay(stream, now) : new LineDisplay(stream, now)
}

class BarDisplay implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream
  readonly #now: () => number
  #bar: SingleBar | null = null
  #step = ''
  #startedAtMs = 0

  constructor(stream: NodeJS.WriteStream, now: () => number) {
    this.#stream = stream
    this.#now = now
  }

  readonly onProgress: OnProgress = (report) => {
    if (report.step !== this.#step) this.#begin(report)
    const seconds = Math.max(0.001, (this.#now() - this.#startedAtMs) / 1000)
    const rate = `${compact(report.done / seconds)} ${report.unit}/s`
    this.#bar?.setTotal(report.total ?? Math.max(1, report.done))
    this.#bar?.update(report.done, { rate, amount: amountOf(report), left: timeLeft(report, seconds) })
    if (report.total !== null && report.done >= report.total) this.finish()
  }

  finish(): void {
    this.#bar?.stop()
    this.#bar = null
    this.#step = ''
  }

  #begin(report: ProgressReport): void {
    this.finish()
    this.#step = report.step
    this.#startedAtMs = this.#now()
    this.#bar = new SingleBar({
      stream: this.#stream,
      format: `  {bar} {percentage}%  ${report.step}  {amount}  {rate}  {left}`,
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 24,
      fps: 8,
      hideCursor: true,
      gracefulExit: false,
    })
    this.#bar.start(report.total ?? 1, 0, { rate: '', amount: '', left: '' })
  }
}

class LineDisplay implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream
  readonly #now: () => number
  #step = ''
  #startedAtMs = 0
  #printedAtMs = 0
  #isComplete = false

  constructor(stream: NodeJS.WriteStream, now: () => number) {
    this.#stream = stream
    this.#now = now
  }

  readonly onProgress: OnProgress = (report) => {
    const isNew = report.step !== this.#step
    if (isNew) {
      this.#step = report.step
      this.#startedAtMs = this.#now()
      this.#isComplete = false
    }
    const completes = report.total !== null && report.done >= report.total && !this.#isComplete
    if (!isNew && !completes && this.#now() - this.#printedAtMs < PLAIN_INTERVAL_MS) return
    this.#printedAtMs = this.#now()
    this.#isComplete ||= completes
    const seconds = (this.#now() - this.#startedAtMs) / 1000
    const took = completes ? `, ${seconds.toFixed(1)} s` : ''
    this.#stream.write(`  ${report.step}: ${amountOf(report)}${took}\n`)
  }

  finish(): void {
    this.#step = ''
  }
}

function amountOf(report: ProgressReport): string {
  const total = report.total === null ? '' : ` of ${compact(report.total)}`
  return `${compact(report.done)}${total} ${report.unit}`
}

function timeLeft(report: ProgressReport, seconds: number): string {
  if (report.total === null || report.done === 0) return ''
  const left = (seconds * (report.total - report.done)) / report.done
  return left < 90 ? `${Math.ceil(left)} s left` : `${Math.ceil(left / 60)} min left`
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** 1234567 → "1.2M"; whole numbers below ten thousand stay as they are. */
function compact(value: number): string {
  return value < 10_000 ? String(Math.round(value * 10) / 10) : COMPACT.format(value)
}
