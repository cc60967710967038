import { Command, InvalidArgumentError } from 'commander'
import { keepTraining } from '../training/retraining.ts'
import { type TrainingReport, train } from '../training/train.ts'
import type { CliContext } from './context.ts'
import { metricsTable, servingTable } from './metrics-table.ts'

interface TrainOptions {
  readonly force?: true
  readonly watch?: true
  readonly every: number
  readonly look: number
  readonly json?: true
}

/** `arus train`: fits, evaluates, registers, and promotes what is better; with `--watch` again and again. */
export function trainCommand(context: CliContext): Command {
  return new Command('train')
    .description(
      'train from silver, compare all models on the newest fifth, promote the best if it is better',
    )
    .option('--force', 'put it into service even if it is not better')
    .option('--watch', 'go on: train again when the model is old or shoppers change, until Ctrl-C')
    .option('--every <hours>', 'with --watch: at least so often', positive, 24)
    .option('--look <minutes>', 'with --watch: how often to look whether it is time', positive, 10)
    .option('--json', 'print as JSON')
    .action((options: TrainOptions) => (options.watch ? watch(context, options) : once(context, options)))
}

async function once(context: CliContext, { force, json }: TrainOptions): Promise<void> {
  const { parts, onProgress, signal } = context
  const report = await train({
    lake: await parts.lake(),
    registry: await parts.registry(),
    spark: await parts.spark(),
    now: Date.now,
    force: force === true,
    servingTolerance: parts.settings.servingTolerance,
    onProgress,
    signal,
  })
  context.out(json ? JSON.stringify(report, null, 2) : reportText(report))
}

async function watch(context: CliContext, options: TrainOptions): Promise<void> {
  const { parts, signal, note } = context
  const everyMs = options.every * 3_600_000
  note(`Looking every ${options.look} minutes whether it is time to train; Ctrl-C stops.`)
  await keepTraining({
    registry: await parts.registry(),
    query: await parts.query(),
    rules: { everyMs, restMs: Math.min(everyMs, options.look * 60_000) },
    now: Date.now,
    lookEveryMs: options.look * 60_000,
    signal,
    train: async (reason) => {
      note(`Training: ${reason} …`)
      await once(context, options)
    },
    onFault: (error) => note(`Not trained: ${error instanceof Error ? error.message : error}`),
  })
}

function reportText({ version, wasPromoted, metrics, serving, seconds }: TrainingReport): string {
  const { user_count, product_count, interaction_count } = version
  return [
    `${interaction_count} interactions of ${user_count} shoppers with ${product_count} products, ${seconds.toFixed(1)} s.`,
    `Newest fifth held out, all products ranked:\n\n${metricsTable(metrics)}\n`,
    ...(serving.length > 0
      ? [`What the search found, and cheaper forms of it:\n\n${servingTable(serving)}\n`]
      : []),
    ...(version.session
      ? [
          `The next product of held-out sessions:\n\n${metricsTable(version.session.metrics)}\n\n${version.session.reason}.\n`,
        ]
      : []),
    ...(version.cart
      ? [
          `The product left out of held-out orders:\n\n${metricsTable(version.cart.metrics)}\n\n${version.cart.reason}.\n`,
        ]
      : []),
    `Version ${version.version} (${version.kind}) ${wasPromoted ? 'is in service' : 'was not promoted'}: ${version.reason}.`,
  ].join('\n')
}

function positive(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('must be a number above 0')
}
