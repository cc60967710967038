import { v7 as uuid } from 'uuid'
import { asEvaluation, judgeVersion, type VersionJudgement } from '../evaluation/off-policy/judge-version.ts'
import type { Reward } from '../evaluation/off-policy/logged-lists.ts'
import { writeEvaluation } from '../evaluation/write-evaluation.ts'
import { topicsOf } from '../events/topics.ts'
import { recomputeSourceOf } from '../recommend/passport/recompute-source.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

export interface OffPolicyOptions {
  readonly model: number | null
  readonly reward: Reward
  readonly answers: number
}

/** `arus evaluate --off-policy`: estimates what a version would have brought, writes it to the lake, returns it. */
export async function evaluateOffPolicy(
  { parts, onProgress, signal }: CliContext,
  { model, reward, answers }: OffPolicyOptions,
): Promise<VersionJudgement> {
  const registry = await parts.registry()
  const catalogue = await parts.catalogue()
  const judgement = await judgeVersion({
    registry,
    query: await parts.query(),
    source: recomputeSourceOf({
      log: await parts.log(),
      topic: topicsOf(parts.settings).events,
      registry,
      catalogue: () => catalogue,
      rules: await parts.rules(),
    }),
    version: model,
    reward,
    limit: answers,
    now: Date.now,
    onProgress,
    signal,
  })
  const run = { runId: uuid(), evaluatedAtMs: Date.now() }
  await writeEvaluation(await parts.lake(), asEvaluation(judgement, run))
  return judgement
}

/** The estimates for a terminal, with what they rest on. */
export function judgementText(judgement: VersionJudgement): string {
  const { version, kind, reward, answer_count, explored_count, left_out, estimate } = judgement
  const { logged, ips, snips, doublyRobust, gain, listCount, matchCount, effectiveSampleSize, meanWeight } =
    estimate
  const row = (name: string, { mean, low, high }: typeof logged) => [
    name,
    mean.toFixed(5),
    `${low.toFixed(5)} to ${high.toFixed(5)}`,
  ]
  const what = { click: 'clicks', purchase: 'products bought', revenue: 'revenue' }[reward]
  return [
    `Version ${version} (${kind}), ${what} per answer, estimated from ${listCount} answers that it did not give (${explored_count} of ${answer_count} since it was trained were explored).`,
    textTable(
      ['estimate', what, '95 % interval'],
      [
        row('as it was shown', logged),
        row('IPS', ips),
        row('SNIPS', snips),
        ...(doublyRobust === null ? [] : [row('doubly robust', doublyRobust)]),
        row('gain', gain),
      ],
    ),
    `It would have shown ${matchCount} of the products at the same rank; they count as ${effectiveSampleSize.toFixed(0)} equally likely ones.`,
    meanWeight.high < 1
      ? `Only about ${(100 * meanWeight.mean).toFixed(0)} % of what it would show could come up while exploring. IPS and its gain leave out the rest; take doubly robust as a guess there, and try it in an experiment before a decision.`
      : 'What it would show could come up while exploring.',
    ...left_out.map(({ reason, answers }) => `${answers} answers left out: ${reason}`),
    `${gain.low > 0 ? 'It would bring more' : gain.high < 0 ? 'It would bring less' : 'No difference to what was shown can be told'} (the interval of the gain ${gain.low <= 0 && gain.high >= 0 ? 'holds' : 'does not hold'} 0).`,
  ].join('\n\n')
}
