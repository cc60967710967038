import {
  type FileParts,
  fitSessionModel,
  type IdTable,
  isSurelyBetter,
  loadModel,
  type Model,
  type SessionEvents,
  type SessionModelSpec,
  sessionSplit,
  type TriedSessionModel,
  tuneSessions,
  wholeFile,
} from '@arus/recommenders'
import type { HelperReport } from '../registry/registry.ts'
import { choose } from './choose-use.ts'
import { servingModelOf } from './load-serving-model.ts'
import type { BundleFiles, ModelBundle } from './model-bundle.ts'
import { K } from './ndcg.ts'
import { type SessionLog, visitsOf } from './read-sessions.ts'
import type {
  Candidate,
  HistoryProduct,
  ServingModel,
  SessionRetriever,
  SessionUse,
} from './serving-model.ts'
import { sessionTrial } from './session-trial.ts'

export interface TrainSessionsOptions {
  readonly products: IdTable
  /** Models of shoppers as they answer today, fitted on what came before `cutMs`. */
  readonly shoppers: Omit<ModelBundle, 'session' | 'cart'>
  readonly cutMs: number
  /** The version in production. It may have seen what is asked about, which favours it. */
  readonly incumbent: ServingModel | null
  readonly signal: AbortSignal
}

/** The model of sessions that a search found, as files. */
export interface FoundSessions {
  readonly spec: SessionModelSpec
  /** Fitted to the sessions that ended before the cut. */
  readonly past: FileParts
  /** Fitted to all. */
  readonly whole: FileParts
}

/** A model of sessions and what came of comparing it. */
export interface TrainedSessions {
  /** Null where it is not surely better than what answers without it. */
  readonly session: BundleFiles['session']
  /** Null where there were too few sessions. */
  readonly report: HelperReport | null
  /** Answers to sessions are surely better than those of the version in production. */
  readonly beatsIncumbent: boolean
}

export const NO_SESSIONS: TrainedSessions = { session: null, report: null, beatsIncumbent: false }
const NOT_USED: SessionUse = { anonymous: 0, known: 0 }

/** Fewer sessions of several products on either side say nothing. */
const SESSIONS_MIN = 50
const TRIAL_SESSIONS = 500
/** Of the search; bounded by CPU time too, since models of a large shop take longer to judge. */
const TRIALS = 16
const REFINEMENTS = 8
const VALIDATION_SESSIONS = 1_000
const TUNE_CPU_MS = 10_000
/** Kinds by what an answer costs, the cheapest first (docs/MODELS.md). */
const BY_COST = ['sequential-rules', 'session-item-knn', 'vmis-knn', 'vstan'] as const
/** Ways to use it, each kept only where it is surely better than those before. */
const ANONYMOUS_USES: readonly SessionUse['anonymous'][] = ['alone', 1]
const KNOWN_USES: readonly number[] = [1, 2]

/** Chooses a model of sessions on those that ended before `cutMs`. Null where there are too few. */
export function findSessionModel(log: SessionLog, cutMs: number, signal: AbortSignal): FoundSessions | null {
  const ends = new Float64Array(log.sessionCount)
  for (let n = 0; n < log.items.length; n++) ends[log.sessions[n]!] = log.timesMs[n]!
  const before = visitsOf(log, (session) => ends[session]! < cutMs)
  if (sessionsThatGoOn(before) < SESSIONS_MIN) return null
  const spec = chosenSpec(before, signal)
  const all = visitsOf(log, () => true)
  return {
    spec,
    past: fitSessionModel(spec, before, { signal }).file(),
    whole: fitSessionModel(spec, all, { signal }).file(),
  }
}

/**
 * Compares the model that was found, on sessions that began after `cutMs`, with what answers there without it: sessions of nobody known,
 * and of shoppers with a past.
 */
export function trainSessions(
  log: SessionLog,
  { spec, past, whole }: FoundSessions,
  options: TrainSessionsOptions,
): TrainedSessions {
  const model = loadModel(wholeFile(past))
  const judged = judge(log, model, options)
  if (judged === null) return NO_SESSIONS
  const { use, metrics, reason, beatsIncumbent } = judged
  const isTaken = use.anonymous !== 0 || use.known !== 0
  const report = { kind: isTaken ? model.kind : null, spec, metrics, reason }
  return { session: isTaken ? { file: whole, use } : null, report, beatsIncumbent }
}

/** How many have a second product: of one alone nothing follows. */
function sessionsThatGoOn({ sessions }: SessionEvents): number {
  const goOn = new Set(sessions.filter((session, n) => n > 0 && session === sessions[n - 1]))
  return goOn.size
}

/** The best on the newest fifth; a kind whose answers cost more must be surely better than one whose cost less. */
function chosenSpec(before: SessionEvents, signal: AbortSignal): SessionModelSpec {
  const { best } = tuneSessions(sessionSplit(before), {
    k: K,
    trials: TRIALS,
    refinements: REFINEMENTS,
    sessionLimit: VALIDATION_SESSIONS,
    repeats: 'left out',
    blendParts: 1,
    timeLimitMs: TUNE_CPU_MS,
    now: cpuMs,
    signal,
  })
  const tried = BY_COST.flatMap((kind) => best.find(({ spec }) => spec.kind === kind) ?? [])
  return tried.reduce(surelyBetter).spec
}

function surelyBetter(cheaper: TriedSessionModel, dearer: TriedSessionModel): TriedSessionModel {
  return isSurelyBetter(dearer.evaluation, cheaper.evaluation) ? dearer : cheaper
}

interface Judged extends Pick<HelperReport, 'metrics' | 'reason'> {
  readonly use: SessionUse
  readonly beatsIncumbent: boolean
}

/** Null where too few sessions can be asked about. */
function judge(log: SessionLog, model: Model, options: TrainSessionsOptions): Judged | null {
  const { shoppers, cutMs, incumbent, products, signal } = options
  const asked = { products, fromMs: cutMs, sessionLimit: TRIAL_SESSIONS, k: K, signal }
  const shop = servingModelOf(
    { kind: shoppers.chosen, version: 0, trained_at: cutMs },
    { ...shoppers, session: { model, use: NOT_USED }, cart: null },
  )
  const using = waysToUse(shop, shop.session!)
  const ofNobody = sessionTrial(
    log,
    [
      using({}),
      ...ANONYMOUS_USES.map((anonymous) => using({ anonymous })),
      ...(incumbent === null ? [] : [incumbent]),
    ],
    { ...asked, asker: 'anonymous' },
  )
  if (new Set(ofNobody[0]!.sessions).size < SESSIONS_MIN) return null
  const ofShoppers = sessionTrial(log, [using({}), ...KNOWN_USES.map((known) => using({ known }))], {
    ...asked,
    asker: 'known',
  })
  const anonymous = choose<SessionUse['anonymous']>('a session', model.kind, [0, ...ANONYMOUS_USES], ofNobody)
  const known = choose('a shopper with a session', model.kind, [0, ...KNOWN_USES], ofShoppers)
  const inPlace = ofNobody[1 + ANONYMOUS_USES.length]
  return {
    use: { anonymous: anonymous.use, known: known.use },
    metrics: { ...anonymous.metrics, ...known.metrics },
    reason: `${anonymous.reason}; ${known.reason}`,
    beatsIncumbent: inPlace !== undefined && isSurelyBetter(anonymous.answers, inPlace),
  }
}

/**
 * The same models with the model of sessions used in other ways. The trial gives all of them the very same past, so each model is asked
 * about it once.
 */
function waysToUse(
  shop: ServingModel,
  session: SessionRetriever,
): (use: Partial<SessionUse>) => ServingModel {
  const recommend = askedOnce((...asked) => shop.recommend(...asked))
  const ofSession = askedOnce(session.recommend)
  return (use) => ({
    kind: shop.kind,
    version: shop.version,
    trained_at: shop.trained_at,
    cart: null,
    session: { kind: session.kind, use: { ...NOT_USED, ...use }, recommend: ofSession },
    recommend,
    knows: (productId) => shop.knows(productId),
    similar: (productId, k) => shop.similar(productId, k),
    popular: (k) => shop.popular(k),
  })
}

function askedOnce(recommend: SessionRetriever['recommend']): SessionRetriever['recommend'] {
  const answers = new WeakMap<readonly HistoryProduct[], Candidate[]>()
  return (past, k, leftOut, isKept) => {
    const answer = answers.get(past) ?? recommend(past, k, leftOut, isKept)
    answers.set(past, answer)
    return answer
  }
}

/** Of this thread: another one may be at work. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
