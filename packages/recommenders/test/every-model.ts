import {
  alsModelOf,
  BlendModel,
  basketsOf,
  fitAls,
  fitBoughtTogether,
  fitContent,
  fitEase,
  fitItemKnn,
  fitLowPass,
  fitNextBasket,
  fitPopular,
  fitSequentialRules,
  fitSessionItemKnn,
  fitSlim,
  fitTrending,
  fitVmisKnn,
  fitVstan,
  fitWalk,
  type Interactions,
  type Model,
} from '../src/index.ts'
import { GROUPS, SIZE } from './matrices.ts'

/** As much as a matrix of rank 2 needs. */
const ALS_OPTIONS = { factorCount: 16, ridge: 0.01, iterations: 25 }

/** Users as sessions, for models of sessions; the order of items differs from user to user. */
const asSessions = (data: Interactions) => ({
  ...data,
  sessionCount: data.userCount,
  sessions: data.users,
  timesMs: data.timesMs.map(
    (timeMs, n) => timeMs + ((data.users[n]! * 7_919 + data.items[n]! * 104_729) % 1_009),
  ),
})

/** All that a user has as one order. */
const asBaskets = (data: Interactions) => basketsOf({ ...data, orders: data.users })

/** Each group of items along an axis of its own: what a factorisation of `blocks` finds. */
function ofGroups(data: Interactions): Model {
  const factorCount = Math.max(1, Math.ceil(data.itemCount / SIZE))
  const values = new Float32Array(data.itemCount * factorCount)
  for (let item = 0; item < data.itemCount; item++) values[item * factorCount + Math.floor(item / SIZE)] = 1
  const params = { unobservedWeight: 0.05, ridge: 0.01, ridgeExponent: 1, objective: 'hu-2008' } as const
  return alsModelOf({ itemCount: data.itemCount, factorCount, values }, params, data)
}

/** Every model that knows persons, as the shared suites fit it. */
export const PERSONAL: Readonly<Record<string, (data: Interactions) => Model>> = {
  walk: (data) => fitWalk(data),
  'walk without damping': (data) => fitWalk(data, { startExponent: 0, userExponent: 0, endExponent: 0 }),
  'walk of close neighbours': (data) => fitWalk(data, { proximityExponent: 0.5, backwardWeight: 0.5 }),
  'item kNN by cosine': (data) => fitItemKnn(data),
  'item kNN by TF-IDF': (data) => fitItemKnn(data, { weighting: 'tf-idf' }),
  'item kNN by BM25': (data) => fitItemKnn(data, { weighting: 'bm25' }),
  EASE: (data) => fitEase(data, { ridge: 1 }),
  'EASE by local ridges': (data) => fitEase(data, { ridge: 1, denseItemsMax: 0 }),
  SLIM: (data) => fitSlim(data),
  iALS: (data) => fitAls(data, ALS_OPTIONS),
  'iALS of candidates': (data) => fitAls(data, { ...ALS_OPTIONS, scannedFloatsMax: 0 }),
  'ALS of vectors fitted elsewhere': ofGroups,
  blend: (data) =>
    new BlendModel(
      [
        { model: fitWalk(data), weight: 1 },
        { model: fitLowPass(data, { rank: GROUPS }), weight: 0.5 },
      ],
      { recencyExponent: 0.5 },
    ),
  'low-pass': (data) => fitLowPass(data, { rank: GROUPS }),
  'low-pass, shortened': (data) => fitLowPass(data, { rank: GROUPS }).shortened(SIZE),
  'vmis-knn': (data) => fitVmisKnn(asSessions(data)),
  vstan: (data) => fitVstan(asSessions(data)),
  'sequential-rules': (data) => fitSequentialRules(asSessions(data), { historyCount: SIZE }),
  'session-item-knn': (data) => fitSessionItemKnn(asSessions(data), { historyCount: SIZE }),
  'bought-together': (data) => fitBoughtTogether(asBaskets(data)),
  'next-basket': (data) => fitNextBasket(asBaskets(data)),
  content: (data) =>
    // Items of a group share features, as items of a category do.
    fitContent({
      itemCount: data.itemCount,
      featureCount: Math.ceil(data.itemCount / SIZE),
      items: Uint32Array.from({ length: data.itemCount }, (_, item) => item),
      features: Uint32Array.from({ length: data.itemCount }, (_, item) => Math.floor(item / SIZE)),
    }),
}

/** And those that rank the same for everybody. */
export const EVERY: typeof PERSONAL = {
  ...PERSONAL,
  popular: (data) => fitPopular(data),
  trending: (data) => fitTrending(data),
}
