import type { Plan } from './plan.ts'
import { type Scheduler, WORLD } from './scheduler.ts'
import type { SimulatedArus } from './simulated-arus.ts'

const STEPS_BETWEEN_MAX = 160
const DOWN_MS_MAX = 1_500
const JUMP_MS_MAX = 10 * 3_600_000
const JUMP_AFTER_MS_MAX = 1_500
const FREEZE_AFTER_MS_MAX = 1_500
/** Longer than a lease. */
const FROZEN_MS_MAX = 9_000

/** Kills processes between any two steps, and sets the clock. */
export class Chaos {
  readonly #scheduler: Scheduler
  readonly #arus: SimulatedArus
  #crashesLeft: number
  #stepsLeft = 0

  constructor(scheduler: Scheduler, arus: SimulatedArus, { crashes, clockJumps, freezes }: Plan) {
    this.#scheduler = scheduler
    this.#arus = arus
    this.#crashesLeft = crashes
    this.#arm()
    scheduler.onStep = () => {
      if (this.#crashesLeft > 0 && --this.#stepsLeft <= 0) this.#strike()
    }
    for (let freeze = 0; freeze < freezes; freeze++)
      scheduler.schedule(
        scheduler.random.next() * FREEZE_AFTER_MS_MAX,
        'a server is frozen',
        () => arus.freeze(scheduler.random.next() * FROZEN_MS_MAX),
        WORLD,
      )
    for (let jump = 0; jump < clockJumps; jump++) {
      const { random } = scheduler
      scheduler.schedule(
        random.next() * JUMP_AFTER_MS_MAX,
        'clock is set',
        () => {
          arus.skewMs = Math.floor((random.next() * 2 - 1) * JUMP_MS_MAX)
        },
        WORLD,
      )
    }
  }

  end(): void {
    this.#scheduler.onStep = () => {}
  }

  #arm(): void {
    this.#stepsLeft = 1 + this.#scheduler.random.below(STEPS_BETWEEN_MAX)
  }

  #strike(): void {
    this.#crashesLeft -= 1
    this.#arm()
    const { random } = this.#scheduler
    const chance = random.next()
    if (chance < 0.2) {
      this.#arus.killLake()
      return
    }
    if (chance < 0.35) this.#arus.killServer()
    else if (chance < 0.5) this.#arus.killSecond()
    else this.#arus.killAll()
    // Sometimes at once: then what is left of the one before still runs.
    const downMs = random.next() < 0.5 ? 0 : random.next() * DOWN_MS_MAX
    this.#scheduler.schedule(downMs, 'started again', () => this.#arus.start(), WORLD)
  }
}
