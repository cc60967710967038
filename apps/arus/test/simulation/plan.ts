import { seededRandom } from '../../src/catalogue/seeded-random.ts'

/** What a simulation does to the system; drawn from the seed, each part can be set to see whether it still fails. */
export interface Plan {
  readonly clients: number
  readonly requestsPerClient: number
  readonly eventsPerRequestMax: number
  readonly partitions: number
  /** Kills of the server, its lake, or both. */
  readonly crashes: number
  /** Share of writes that fail, half of them after they happened. */
  readonly faultShare: number
  /** Share of writes that a disk holds up for seconds. */
  readonly stallShare: number
  /** Share of requests, and of answers, that the network loses. */
  readonly lossShare: number
  /** Share of requests that the network delivers twice, the second maybe seconds later. */
  readonly doubleShare: number
  /** Share of acknowledged requests that are sent again all the same. */
  readonly repeatShare: number
  /** Times the server's clock is set, by up to ten hours either way. */
  readonly clockJumps: number
  /** Share of events that live state can decode but never take in. */
  readonly poisonShare: number
  readonly lakeIntervalMs: number
  /** How long writing the rows of one commit takes at most: seconds where they are many. */
  readonly lakeWriteMsMax: number
  /** Hour of the day at which it begins, and hours that pass before the end is looked at. */
  readonly startHour: number
  readonly restHours: number
}

/** One of these mistakes is built in, to show that a simulation finds it. */
export type Sabotage =
  /** Live state stores the offset in a commit of its own, before what the offset stands for. */
  | 'offset before output'
  /** The lake writes rows and how far they go as two commits. */
  | 'rows before position'
  /** The lake appends whether or not another process moved the position meanwhile. */
  | 'blind append'
  /** A request is answered while its events are on the way to the log. */
  | 'acknowledged before written'
  /** Intake takes every id for a new one. */
  | 'ids forgotten'

export function planOf(seed: number, set: Partial<Plan> = {}): Plan {
  const random = seededRandom(seed ^ 0x5eed)
  const between = (least: number, most: number) => least + random.below(most - least + 1)
  const sometimes = (share: number, value: () => number) => {
    const drawn = value()
    return random.next() < share ? drawn : 0
  }
  const plan: Plan = {
    clients: between(1, 4),
    requestsPerClient: between(2, 10),
    eventsPerRequestMax: between(1, 6),
    partitions: between(1, 3),
    crashes: sometimes(0.8, () => between(1, 5)),
    faultShare: sometimes(0.5, () => random.next() * 0.15),
    stallShare: sometimes(0.5, () => random.next() * 0.03),
    lossShare: sometimes(0.5, () => random.next() * 0.3),
    doubleShare: sometimes(0.5, () => random.next() * 0.4),
    repeatShare: random.next() * 0.4,
    clockJumps: sometimes(0.3, () => between(1, 3)),
    poisonShare: sometimes(0.2, () => 0.05),
    lakeIntervalMs: [100, 400, 1_500][random.below(3)]!,
    lakeWriteMsMax: 4 + sometimes(0.4, () => between(100, 2_000)),
    startHour: random.below(24) + [0, 0.999][random.below(2)]!,
    restHours: sometimes(0.3, () => between(1, 20)),
  }
  return { ...plan, ...set }
}
