export { type AlsOptions, alsModelOf, confidencesOf, fitAls } from './als.ts'
export {
  type BasketHistory,
  type BasketSplit,
  type Baskets,
  basketsOf,
  basketsSplitAt,
  historiesOf,
  lastBasketSplit,
  newestBasketsSplit,
  type Purchases,
} from './baskets/baskets.ts'
export { type BoughtTogetherOptions, fitBoughtTogether } from './baskets/bought-together.ts'
export {
  type BasketEvaluation,
  type CartEvaluation,
  evaluateBaskets,
  evaluateCarts,
  type NextBasketRanker,
} from './baskets/evaluate-baskets.ts'
export { fitNextBasket, type NextBasketOptions } from './baskets/next-basket.ts'
export type { NextBasketModel } from './baskets/next-basket-model.ts'
export { BlendModel, type BlendOptions, type BlendPart } from './blend-model.ts'
export {
  type Choice,
  fitChoice,
  fitterOf,
  type ModelChoice,
  type SearchedChoice,
} from './choice.ts'
export { type ContentOptions, fitContent, type ItemFeatures } from './content.ts'
export { type EaseOptions, fitEase } from './ease.ts'
export { RECOMMENDER_ERRORS, RecommenderError, type RecommenderErrorCode } from './errors.ts'
export { Calibration } from './evaluation/calibration.ts'
export {
  type Comparison,
  compareWith,
  holm,
  SIGNIFICANCE_LEVEL,
  type UnitScores,
} from './evaluation/compare.ts'
export {
  cosineDistance,
  groupDistance,
  type ItemDistance,
  intraListDiversity,
} from './evaluation/diversity.ts'
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluation/evaluate.ts'
export {
  type Interval,
  meanWithInterval,
  type PairedDifference,
  pairedDifference,
  ratioWithInterval,
} from './evaluation/intervals.ts'
export type { ItemGroups } from './evaluation/item-groups.ts'
export { giniOf } from './evaluation/popularity.ts'
export { rankMetrics } from './evaluation/rank-metrics.ts'
export { studentQuantile, studentTwoSided } from './evaluation/student-t.ts'
export { IdTable } from './id-table.ts'
export { fitItemKnn, type ItemKnnOptions } from './item-knn.ts'
export { loadModel } from './load-model.ts'
export { fitLowPass, fitShortLowPass, type LowPassOptions, type ShortLowPassOptions } from './low-pass.ts'
export type {
  FitSignal,
  Interactions,
  ItemFilter,
  Model,
  RecommendOptions,
  ScoredItems,
  UserItems,
} from './model.ts'
export {
  type FileParts,
  type ModelFile,
  modelFile,
  readModelFile,
  sizeBytesOf,
  wholeFile,
} from './model-file.ts'
export { crossFittedClickModel, fitClickModel } from './off-policy/click-model.ts'
export {
  type EstimateOptions,
  estimateOffPolicy,
  type OffPolicyEstimate,
  type OffPolicyRefusal,
} from './off-policy/estimate.ts'
export type { LoggedList, RewardModel } from './off-policy/logged-list.ts'
export { fitPopular, fitTrending, type TrendingOptions } from './ranking-model.ts'
export { isShortened } from './serving-forms.ts'
export type { ServingTrial } from './serving-trials.ts'
export {
  type EvaluateSessionsOptions,
  evaluateSessions,
  type Repeats,
  type SessionEvaluation,
} from './sessions/evaluate-sessions.ts'
export { fitSequentialRules, type SequentialRulesOptions } from './sessions/sequential-rules.ts'
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
export { fitSlim, type SlimOptions } from './slim.ts'
export { lastOfEachSplit, leaveLastOutSplit, type Split, timeSplit, validationSplit } from './splits.ts'
export { type TimeDecayOptions, withTimeDecay } from './time-decay.ts'
export { TopK } from './top-k.ts'
export { type Tried, type Tuned, type TuneOptions, tune } from './tune.ts'
export { fitWalk, type WalkOptions } from './walk.ts'
