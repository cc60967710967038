import type { SeededRandom } from '../../src/catalogue/seeded-random.ts'

/** Who a step belongs to: a process of the simulated machine, or the world outside (0). A dead one takes no steps. */
export type Owner = number

export const WORLD: Owner = 0

/** A step that waits for its time. */
export interface Task {
  readonly atMs: number
  /** Among steps of one moment, the least goes first; drawn from the seed. */
  readonly order: number
  readonly owner: Owner
  readonly label: string
  readonly run: () => void
}

/** Kept before anything can replace it: the one real thing a simulation waits for. */
const realSetImmediate = globalThis.setImmediate
const FNV_PRIME = 0x01000193

/**
 * Runs everything of a simulation, one step after the other in an order that the seed decides. A step goes on until
 * nothing is left to do without waiting; whatever waits, waits for a later step.
 */
export class Scheduler {
  readonly random: SeededRandom
  readonly startMs: number
  nowMs: number
  /** Owner of the step that runs. */
  current: Owner = WORLD
  stepCount = 0
  #hash = 0x811c9dc5
  #tasks: Task[] = []
  readonly #dead = new Set<Owner>()
  readonly #frozenUntilMs = new Map<Owner, number>()
  /** Called before each step; may kill. */
  onStep: (next: Task) => void = () => {}

  constructor(random: SeededRandom, startMs: number) {
    this.random = random
    this.startMs = startMs
    this.nowMs = startMs
  }

  /** Says that two runs took the same steps at the same times: FNV-1a of them all. */
  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  schedule(delayMs: number, label: string, run: () => void, owner: Owner = this.current): Task {
    const atMs = Math.max(this.nowMs + Math.max(0, delayMs), this.#frozenUntilMs.get(owner) ?? 0)
    const task = { atMs, order: this.random.next(), owner, label, run }
    if (!this.#dead.has(owner)) this.#tasks.push(task)
    return task
  }

  cancel(task: Task): void {
    const at = this.#tasks.indexOf(task)
    if (at >= 0) this.#tasks.splice(at, 1)
  }

  /** A step that takes up to `maxMs`; never resolves when its owner dies before. */
  pause(maxMs: number, label: string, owner: Owner = this.current): Promise<void> {
    return new Promise((resolve) => this.schedule(this.random.next() * maxMs, label, resolve, owner))
  }

  /** The owner takes no step any more. */
  kill(owner: Owner): void {
    this.#dead.add(owner)
    this.#tasks = this.#tasks.filter((task) => task.owner !== owner)
    this.note(`killed ${owner}`)
  }

  /** The owner takes no step for so long; what it was to do it does afterwards. */
  freeze(owner: Owner, forMs: number): void {
    const untilMs = this.nowMs + forMs
    this.#frozenUntilMs.set(owner, untilMs)
    this.#tasks = this.#tasks.map((task) =>
      task.owner === owner && task.atMs < untilMs ? Object.assign(task, { atMs: untilMs }) : task,
    )
    this.note(`frozen ${owner}`)
  }

  isDead(owner: Owner): boolean {
    return this.#dead.has(owner)
  }

  /** Takes steps until the condition holds, nothing is left to do, or there were too many. */
  async run(isDone: () => boolean, stepsMax: number): Promise<'done' | 'idle' | 'too long'> {
    for (let steps = 0; !isDone(); steps++) {
      if (steps >= stepsMax) return 'too long'
      const next = this.#next()
      if (next === null) return 'idle'
      this.onStep(next)
      if (this.#dead.has(next.owner)) continue
      this.cancel(next)
      await this.#take(next)
    }
    return 'done'
  }

  /** Adds to the trace. */
  note(text: string): void {
    for (let i = 0; i < text.length; i++) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(i), FNV_PRIME)
  }

  async #take(task: Task): Promise<void> {
    this.nowMs = Math.max(this.nowMs, task.atMs)
    this.current = task.owner
    this.stepCount += 1
    this.note(`${task.label} ${task.owner} ${task.atMs.toFixed(3)}`)
    task.run()
    // Everything that follows without waiting belongs to the step.
    await new Promise((resolve) => realSetImmediate(resolve))
    this.current = WORLD
  }

  #next(): Task | null {
    let best: Task | null = null
    for (const task of this.#tasks)
      if (best === null || task.atMs < best.atMs || (task.atMs === best.atMs && task.order < best.order))
        best = task
    return best
  }
}
