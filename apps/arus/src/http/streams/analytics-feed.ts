import type { LiveState } from '../../live/live-state.ts'
import { liveBodyOf } from '../analytics/live-body.ts'
import type { SseMessage } from './sse-connection.ts'

/** Shortest time between two messages. */
const MIN_INTERVAL_MS = 100
/** Figures of a window (active sessions, events per second) change without events too. */
const REFRESH_INTERVAL_MS = 2_000

/** Live figures for any number of streams: computed and serialised once, only while somebody listens. */
export class AnalyticsFeed {
  readonly #live: () => LiveState | null
  readonly #listeners = new Set<() => void>()
  #current: SseMessage | null = null
  /** The figures last sent, as JSON without their time. */
  #figures = ''
  #stop: (() => void) | null = null

  constructor(live: () => LiveState | null) {
    this.#live = live
  }

  /** The figures last computed; null when none were. The id is the time they were computed, UTC ms. */
  get newest(): SseMessage | null {
    return this.#current
  }

  /** The figures of now, computed unless somebody listens and so has them fresh; null while live state is gone. */
  current(): SseMessage | null {
    if (this.#live() === null) return null
    if (this.#listeners.size > 0 && this.#current !== null) return this.#current
    this.#refresh()
    return this.#current
  }

  /** Calls back when `newest` has changed; returns the way to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    this.#stop ??= this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#stop?.()
      this.#stop = null
    }
  }

  #start(): () => void {
    const announce = () => {
      if (this.#refresh()) for (const listener of [...this.#listeners]) listener()
    }
    const stopListening = this.#live()?.onChange(announce, MIN_INTERVAL_MS)
    const timer = setInterval(announce, REFRESH_INTERVAL_MS)
    timer.unref()
    return () => {
      stopListening?.()
      clearInterval(timer)
    }
  }

  /** True when the figures differ from those before in more than their time. */
  #refresh(): boolean {
    const live = this.#live()
    if (live === null) return false
    const { generated_at, ...figures } = liveBodyOf(live.analytics())
    const text = JSON.stringify(figures)
    if (text === this.#figures && this.#current !== null) return false
    this.#figures = text
    const data = `${text.slice(0, -1)},"generated_at":${generated_at}}`
    this.#current = { id: String(generated_at), event: 'analytics', data }
    return true
  }
}
