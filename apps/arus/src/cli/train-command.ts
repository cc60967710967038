import { Command } from 'commander'
import { train } from '../training/train.ts'
import type { CliContext } from './context.ts'
import { metricsTable } from './metrics-table.ts'

/** `arus train`: fits, evaluates, registers, and promotes what is better. */
export function trainCommand(context: CliContext): Command {
  return new Command('train')
    .description(
      'train from silver, compare all models on the newest fifth, promote the best if it is better',
    )
    .option('--force', 'put it into service even if it is not better')
    .option('--json', 'print as JSON')
    .action(async (options: { force?: boolean; json?: boolean }) => {
      const { parts, onProgress, signal } = context
      const report = await train({
        lake: await parts.lake(),
        registry: await parts.registry(),
        now: Date.now,
        force: options.force === true,
        onProgress,
        signal,
      })
      if (options.json) return context.out(JSON.stringify(report, null, 2))
      const { version, wasPromoted, metrics, seconds } = report
      const { user_count, product_count, interaction_count } = version
      context.out(
        `${interaction_count} interactions of ${user_count} shoppers with ${product_count} products, ${seconds.toFixed(1)} s.`,
      )
      context.out(`Newest fifth held out, all products ranked:\n\n${metricsTable(metrics)}\n`)
      if (version.session)
        context.out(
          `The next product of held-out sessions:\n\n${metricsTable(version.session.metrics)}\n\n${version.session.reason}.\n`,
        )
      context.out(
        `Version ${version.version} (${version.kind}) ${wasPromoted ? 'is in service' : 'was not promoted'}: ${version.reason}.`,
      )
    })
}
