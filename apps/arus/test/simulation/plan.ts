import { seededRandom } from '../../src/catalogue/seeded-random.ts'
import { DEFAULT_STORE_PACE, type StorePace } from '../../src/live/store-pace.ts'

/** What a simulation does to the system; drawn from the seed, each part can be set to see whether it still fails. */
export interface Plan {
  readonly clients: number
  readonly requestsPerClient: number
  readonly eventsPerRequestMax: number
  readonly partitions: number
  /** A second server shares live state with the first: one applies the log, the other follows, both take events. */
  readonly hasSecond: boolean
  /** Times a server takes no step for seconds, maybe longer than its lease lasts. */
  readonly freezes: number
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
  readonly store: StorePlan
  /** How often live state stores: as it does by itself, or so often that commits and the next events meet. */
  readonly pace: StorePace
  /** Hour of the day at which it begins, and hours that pass before the end is looked at. */
  readonly startHour: number
  readonly restHours: number
}

/** How the store of live state does. */
export interface StorePlan {
  /** Share of commits that fail, beside the `faultShare` of all writes. */
  readonly faultShare: number
  /** How long a commit takes at most, beside stalls, and how long until one that fails is told so. */
  readonly commitMsMax: number
  readonly failMsMax: number
  /** How long a read takes at most, where it waits at all. */
  readonly readMsMax: number
}

export const SOUND_STORE: StorePlan = { faultShare: 0, commitMsMax: 4, failMsMax: 4, readMsMax: 2 }

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
  /** Live state begins a commit though the one before has failed, and what that one was to store is in neither. */
  | 'commit on a failed one'
  /** A commit takes place whoever leads meanwhile. */
  | 'unfenced leader'

type Between = (least: number, most: number) => number

export function planOf(seed: number, set: Partial<Plan> = {}): Plan {
  const random = seededRandom(seed ^ 0x5eed)
  const between: Between = (least, most) => least + random.below(most - least + 1)
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
    store: random.next() < 0.7 ? SOUND_STORE : slowStore(between),
    pace: random.next() < 0.5 ? DEFAULT_STORE_PACE : quickPace(between),
    hasSecond: random.next() < 0.3,
    freezes: sometimes(0.5, () => between(1, 2)),
  }
  return { ...plan, ...set }
}

/** Commits that go on beside the next reads, and fail at any moment of them. */
function slowStore(between: Between): StorePlan {
  return {
    faultShare: between(0, 40) / 100,
    commitMsMax: between(4, 80),
    failMsMax: between(4, 80),
    readMsMax: between(2, 60),
  }
}

function quickPace(between: Between): StorePace {
  return {
    msMin: between(1, 100),
    msMax: between(1, 100),
    changes: between(1, 50),
    aheadRecords: between(2, 30),
  }
}
