export { type AlsOptions, fitAls } from './als.ts'
export { BlendModel, type BlendOptions, type BlendPart } from './blend-model.ts'
export {
  type Choice,
  fitChoice,
  type ModelChoice,
} from './choice.ts'
export { type ContentOptions, fitContent, type ItemFeatures } from './content.ts'
export { type EaseOptions, fitEase } from './ease.ts'
export { RECOMMENDER_ERRORS, RecommenderError, type RecommenderErrorCode } from './errors.ts'
export {
  type Evaluation,
  evaluate,
  meanWithInterval,
  pairedDifference,
  rankMetrics,
} from './evaluate.ts'
export { IdTable } from './id-table.ts'
export { fitItemKnn, type ItemKnnOptions } from './item-knn.ts'
export { loadModel } from './load-model.ts'
export { fitLowPass, type LowPassOptions } from './low-pass.ts'
export type {
  FitSignal,
  Interactions,
  ItemFilter,
  Model,
  RecommendOptions,
  ScoredItems,
  UserItems,
} from './model.ts'
export { type ModelFile, readModelFile, writeModelFile } from './model-file.ts'
export { fitPopular, fitTrending, type TrendingOptions } from './ranking-model.ts'
export {
  type EvaluateSessionsOptions,
  evaluateSessions,
  type Repeats,
  type SessionEvaluation,
} from './sessions/evaluate-sessions.ts'
export { fitSequentialRules, type SequentialRulesOptions } from './sessions/sequential-rules.ts'
export { SessionBlendModel, type SessionBlendPart } from './sessions/session-blend-model.ts'
export {
  isSurelyBetter,
  type MeanInterval,
  type SessionPredictions,
  sessionDifference,
} from './sessions/session-difference.ts'
export type { SessionEvents } from './sessions/session-events.ts'
export { fitSessionItemKnn, type SessionItemKnnOptions } from './sessions/session-item-knn.ts'
export { fitSessionModel, type SessionBlendOptions, type SessionModelSpec } from './sessions/session-model.ts'
export { lastDaySplit, type SessionSplit, sessionSplit } from './sessions/session-split.ts'
export { sessionsByGap } from './sessions/sessions-by-gap.ts'
export {
  type TriedSessionModel,
  type TunedSessions,
  type TuneSessionsOptions,
  tuneSessions,
} from './sessions/tune-sessions.ts'
export { fitVmisKnn, type VmisKnnOptions } from './sessions/vmis-knn.ts'
export { fitVstan, type VstanOptions } from './sessions/vstan.ts'
export { lastOfEachSplit, type Split, timeSplit, validationSplit } from './splits.ts'
export { TopK } from './top-k.ts'
export { type Tried, type Tuned, tune } from './tune.ts'
export { fitWalk, type WalkOptions } from './walk.ts'
