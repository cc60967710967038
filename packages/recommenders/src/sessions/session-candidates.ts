import type { SessionModelSpec } from './session-model.ts'

type Grid = Readonly<Record<string, readonly number[]>>
type TunedKind = Exclude<SessionModelSpec['kind'], 'session-blend'>

const DAY_MS = 86_400_000
/** Large enough to switch a decay off. */
const OFF = 1e6

/** Values that options may take, in ascending order. Those of VSTAN are about what its authors searched (session-rec, conf/save). */
const GRIDS: Readonly<Record<TunedKind, Grid>> = {
  popular: {},
  trending: { halfLifeMs: [DAY_MS / 4, DAY_MS, 3 * DAY_MS, 10 * DAY_MS] },
  'sequential-rules': {
    steps: [3, 5, 10, 20],
    distanceExponent: [0.5, 1, 2],
    historyCount: [1, 2, 3, 5, 10],
    historyExponent: [0.5, 1, 2],
  },
  'session-item-knn': {
    steps: [5, 10, 20],
    distanceDecay: [0.5, 1, 2, 5, OFF],
    backwardWeight: [0, 0.1, 0.3, 0.6, 1],
    ageDecayDays: [5, 20, 60, OFF],
    regularisation: [0, 5, 20, 50],
    balance: [0.3, 0.5, 0.7, 1],
    historyCount: [1, 2, 3, 5, 10],
    historyExponent: [0.5, 1, 2],
  },
  'vmis-knn': {
    neighbourCount: [50, 100, 200, 500, 1_000, 1_500],
    sampleSize: [500, 1_000, 2_500, 5_000],
    historyCount: [2, 3, 5, 10],
    idfWeight: [0, 1],
  },
  vstan: {
    neighbourCount: [50, 100, 200, 500, 1_000, 1_500],
    sampleSize: [1_000, 2_500, 5_000],
    historyCount: [5, 20],
    sessionPositionDecay: [0.25, 0.5, 1, 2, 4, 8],
    sessionAgeDecayDays: [2.5, 5, 10, 20, 40, 100, OFF],
    itemDistanceDecay: [0.5, 1, 2, 4, 8, OFF],
    matchPositionDecay: [0.25, 0.5, 1, 2, 4, 8],
    idfWeight: [0, 1, 2, 5, 10],
  },
}

/** How many of 40 trials each kind gets: by the number of its options. The first of each are its defaults. */
const SHARES: Readonly<Record<TunedKind, number>> = {
  popular: 1,
  trending: 3,
  'sequential-rules': 6,
  'session-item-knn': 9,
  'vmis-knn': 6,
  vstan: 15,
}
const SHARES_SUM = 40

/** About `count` models to try: the defaults of each kind, the rest at random from its grid. */
export function sessionCandidates(count: number, random: () => number): SessionModelSpec[] {
  return (Object.keys(GRIDS) as TunedKind[]).flatMap((kind) => {
    const share = kind === 'popular' ? 1 : Math.max(1, Math.round((count * SHARES[kind]) / SHARES_SUM))
    return Array.from({ length: share }, (_, n) => specOf(kind, n === 0 ? {} : drawn(GRIDS[kind], random)))
  })
}

/** The same model with one or two options one step up or down, for a search in its neighbourhood. */
export function neighbourOf(spec: SessionModelSpec, random: () => number): SessionModelSpec {
  if (spec.kind === 'session-blend') return spec
  const grid = GRIDS[spec.kind]
  const names = Object.keys(grid)
  if (names.length === 0) return spec
  const options: Record<string, number> = { ...drawn(grid, () => 0.5), ...(spec.options as object) }
  for (let change = random() < 0.5 ? 1 : 2; change > 0; change--) {
    const name = names[Math.floor(random() * names.length)]!
    const values = grid[name]!
    const step = random() < 0.5 ? -1 : 1
    const at = values.indexOf(options[name]!) + step
    options[name] = values[Math.min(values.length - 1, Math.max(0, at))]!
  }
  return specOf(spec.kind, options)
}

function drawn(grid: Grid, random: () => number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(grid).map(([name, values]) => [name, values[Math.floor(random() * values.length)]!]),
  )
}

function specOf(kind: TunedKind, options: Readonly<Record<string, number>>): SessionModelSpec {
  return { kind, options } as SessionModelSpec
}
