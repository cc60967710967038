import { syncBuiltinESMExports } from 'node:module'
import timersPromises from 'node:timers/promises'
import type { Scheduler, Task } from './scheduler.ts'

/** Stands for a timer of Node: what the sources do with one is to clear it, or to say that it keeps nothing alive. */
interface VirtualTimer {
  task: Task | null
  unref(): VirtualTimer
  ref(): VirtualTimer
}

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  now: performance.now,
  sleep: timersPromises.setTimeout,
  turn: timersPromises.setImmediate,
}

/**
 * While `work` runs, timers and the machine's count of time are those of a scheduler: the sources run as they are and wait for
 * nothing real. `schedulerOf` is asked at each call, so that one installation serves many simulations.
 */
export async function withVirtualTimers<T>(schedulerOf: () => Scheduler, work: () => Promise<T>): Promise<T> {
  install(schedulerOf)
  try {
    return await work()
  } finally {
    restore()
  }
}

function install(schedulerOf: () => Scheduler): void {
  const start = (ms: number, run: () => void, isRepeated: boolean): VirtualTimer => {
    const timer: VirtualTimer = { task: null, unref: () => timer, ref: () => timer }
    const scheduler = schedulerOf()
    const arm = (): void => {
      timer.task = scheduler.schedule(ms, 'timer', () => {
        timer.task = null
        if (isRepeated) arm()
        run()
      })
    }
    arm()
    return timer
  }
  const clear = (timer: VirtualTimer | null | undefined): void => {
    if (timer?.task) schedulerOf().cancel(timer.task)
    if (timer) timer.task = null
  }
  const replaced = {
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      start(ms, () => run(...args), false),
    setInterval: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      start(ms, () => run(...args), true),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) =>
      start(0, () => run(...args), false),
    clearTimeout: clear,
    clearInterval: clear,
  }
  Object.assign(globalThis, replaced)
  performance.now = () => schedulerOf().nowMs - schedulerOf().startMs
  const sleep = (ms = 0, value?: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const timer = start(ms, () => resolve(value), false)
      signal?.addEventListener('abort', () => {
        clear(timer)
        reject(signal.reason)
      })
    })
  Object.assign(timersPromises, {
    setTimeout: sleep,
    setImmediate: (value?: unknown) => sleep(0, value),
  })
  syncBuiltinESMExports()
}

function restore(): void {
  const { now, sleep, turn, ...globals } = real
  Object.assign(globalThis, globals)
  performance.now = now
  Object.assign(timersPromises, { setTimeout: sleep, setImmediate: turn })
  syncBuiltinESMExports()
}
