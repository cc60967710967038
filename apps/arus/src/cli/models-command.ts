import { Command } from 'commander'
import type { ModelVersion } from '../registry/registry.ts'
import type { CliContext } from './context.ts'
import { metricsTable } from './metrics-table.ts'
import { textTable } from './table.ts'

/** `arus models`: every version, newest first. */
export function modelsCommand(context: CliContext): Command {
  return new Command('models')
    .description('list the trained model versions, their metrics and which one serves')
    .option('--json', 'print as JSON')
    .action(async (options: { json?: boolean }) => {
      const versions = await (await context.parts.registry()).list()
      if (options.json) return context.out(JSON.stringify(versions, null, 2))
      if (versions.length === 0) return context.out('No model was trained yet: "arus train" does it.')
      context.out(
        textTable(
          ['version', 'kind', 'sessions', 'status', 'ndcg@20', 'recall@20', 'trained (UTC)', 'why'],
          versions.map(rowOf),
        ),
      )
      for (const { version, session } of versions) {
        if (session)
          context.out(
            `\nVersion ${version}, the next product of a session: ${session.reason}\n\n${metricsTable(session.metrics)}`,
          )
      }
    })
}

function rowOf(model: ModelVersion): (string | number)[] {
  const { version, kind, session, status, metrics, trained_at, outdated, reason } = model
  const own = metrics[kind] ?? {}
  return [
    version,
    kind,
    session?.kind ?? '-',
    outdated ? `${status}, outdated` : status,
    (own['ndcg@20'] ?? 0).toFixed(4),
    (own['recall@20'] ?? 0).toFixed(4),
    new Date(trained_at).toISOString().slice(0, 19),
    reason,
  ]
}
