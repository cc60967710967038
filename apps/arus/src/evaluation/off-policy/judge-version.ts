import {
  crossFittedClickModel,
  estimateOffPolicy,
  type Interval,
  type OffPolicyEstimate,
} from '@arus/recommenders'
import { ArusError } from '../../errors.ts'
import type { OnProgress } from '../../progress.ts'
import type { QueryEngine } from '../../query/query-engine.ts'
import { type RecomputeSource, recompute } from '../../recommend/passport/recompute.ts'
import type { ModelVersion, Registry } from '../../registry/registry.ts'
import type { MeasuredValue } from '../evaluation-report.ts'
import { finite } from '../measured-model.ts'
import type { WrittenEvaluation } from '../write-evaluation.ts'
import { readLoggedAnswers } from './logged-answers.ts'
import { loggedListsOf, type Reward } from './logged-lists.ts'

export interface JudgeVersionOptions {
  readonly registry: Pick<Registry, 'list'>
  readonly query: QueryEngine
  /** What answers are given again from; of its rules those that explore are left out. */
  readonly source: RecomputeSource
  /** Default: the newest that is not in production. */
  readonly version: number | null
  readonly reward: Reward
  /** Answers at most, the newest. */
  readonly limit: number
  readonly now: () => number
  readonly onProgress: OnProgress
  readonly signal: AbortSignal
}

/** What a version would have brought where another one answered. */
export interface VersionJudgement {
  readonly version: number
  readonly kind: string
  readonly reward: Reward
  /** Answers of the period, UTC ms: they are younger than the version's training data. */
  readonly from: number
  readonly to: number
  readonly answer_count: number
  readonly explored_count: number
  readonly left_out: readonly { readonly reason: string; readonly answers: number }[]
  readonly estimate: OffPolicyEstimate
}

/**
 * Estimates what a version brings per answer from answers that were given while exploring: each is given again by that version, and
 * clicks are weighed by how likely what was shown was. Answers from before its training data were read are left out: it has learnt from what
 * came of them. Throws `MODEL_UNKNOWN`, and `EVALUATION_IMPOSSIBLE` with what to do where nothing can be said.
 */
export async function judgeVersion(options: JudgeVersionOptions): Promise<VersionJudgement> {
  const { query, source, reward, limit, onProgress, signal } = options
  const model = await versionOf(options)
  const period = { fromMs: model.trained_at, toMs: options.now() + 1 }
  const step = (name: string) => (fraction: number) =>
    onProgress({ step: name, done: Math.round(100 * fraction), total: 100, unit: '%' })
  step('Reading answers')(0)
  const { answers, answerCount, exploredCount } = await readLoggedAnswers(query, period, { limit, signal })
  step('Reading answers')(1)
  if (answers.length === 0) throw impossible(nothingLogged(model, answerCount))
  const loaded = source.loadModel(model.version)
  const again: RecomputeSource = {
    ...source,
    loadModel: () => loaded,
    rulesAt: async (revision) =>
      (await source.rulesAt(revision))?.filter(({ kind }) => kind !== 'explore') ?? null,
  }
  const { lists, leftOut } = await loggedListsOf(answers, {
    reward,
    answerAgain: (passport) => {
      const asked = passport.parts && { ...passport, parts: { ...passport.parts, model: model.version } }
      return recompute(asked ?? passport, again)
    },
    onProgress: step('Answering again'),
    signal,
  })
  const reasons = [...leftOut].map(([reason, count]) => ({ reason, answers: count }))
  if (lists.length === 0)
    throw impossible(`None of the ${answers.length} answers can be given again: ${reasons[0]?.reason}`)
  const estimate = estimateOffPolicy(lists, { rewardModel: crossFittedClickModel(lists) })
  if (estimate.kind === 'refused') throw impossible(estimate.message)
  return {
    version: model.version,
    kind: model.kind,
    reward,
    from: period.fromMs,
    to: period.toMs,
    answer_count: answerCount,
    explored_count: exploredCount,
    left_out: reasons,
    estimate,
  }
}

async function versionOf({ registry, version }: JudgeVersionOptions): Promise<ModelVersion> {
  const versions = await registry.list()
  const found =
    version === null
      ? versions.find(({ status, outdated }) => status !== 'production' && !outdated)
      : versions.find((one) => one.version === version)
  if (found !== undefined) return found
  throw new ArusError(
    'MODEL_UNKNOWN',
    version === null
      ? 'There is no version but the one in production; "arus train" makes one, --model names one'
      : `No version ${version} is in the registry; "arus models" lists them`,
  )
}

function nothingLogged({ version, trained_at }: ModelVersion, answerCount: number): string {
  const since = `since version ${version} was trained (${new Date(trained_at).toISOString().slice(0, 16)} UTC)`
  if (answerCount === 0)
    return `No answer ${since} is in the lake. What was answered before is no test: it has learnt from the clicks. Let the shop run, then ask again`
  return `None of the ${answerCount} answers ${since} tells how likely its products were: nothing was drawn at random, so there is nothing to learn about what was not shown. Switch on a rule that explores ("explore"), let it run, then ask again`
}

function impossible(message: string): ArusError {
  return new ArusError('EVALUATION_IMPOSSIBLE', message)
}

/** As rows of `gold.evaluations`. */
export function asEvaluation(
  judgement: VersionJudgement,
  run: { readonly runId: string; readonly evaluatedAtMs: number },
): WrittenEvaluation {
  const { version, kind, reward, from, to, estimate } = judgement
  const named = {
    logged: estimate.logged,
    ips: estimate.ips,
    snips: estimate.snips,
    ...(estimate.doublyRobust === null ? {} : { doubly_robust: estimate.doublyRobust }),
    gain: estimate.gain,
    mean_weight: estimate.meanWeight,
  }
  const metrics = Object.entries(named).map(([name, interval]) => [
    name === 'mean_weight' ? name : `${reward}_${name}`,
    measuredValue(interval),
  ])
  return {
    run_id: run.runId,
    evaluated_at: run.evaluatedAtMs,
    data: 'bronze.recommendations',
    data_version: `answers from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
    split: 'off-policy',
    user_count: estimate.listCount,
    chosen: '',
    models: [
      {
        model: `version ${version}`,
        options: { version, kind },
        metrics: Object.fromEntries(metrics) as Record<string, MeasuredValue>,
        against_best: null,
        against_production: null,
        fit_cpu_seconds: 0,
      },
    ],
  }
}

function measuredValue({ mean, low, high }: Interval): MeasuredValue {
  return { value: mean, low: finite(low), high: finite(high) }
}
