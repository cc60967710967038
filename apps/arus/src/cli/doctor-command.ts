import { Command } from 'commander'
import { maskedUrl } from '../config/masked-url.ts'
import type { Settings } from '../config/settings.ts'
import { sparkAddress } from '../config/spark-settings.ts'
import { probeSlots, type SlotProbe } from '../operations/health.ts'
import { openApi } from './api-client.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** Here everything is opened for it first. */
const PROBE_TIMEOUT_MS = 15_000

/** `arus doctor`: the settings in force, and for each slot what it is connected to and whether it is healthy. */
export function doctorCommand(
  context: CliContext,
  probesOf: (parts: CliContext['parts']) => SlotProbe[],
): Command {
  return new Command('doctor')
    .description('show the settings, what each slot is connected to, and whether it is healthy')
    .option('--json', 'print as JSON')
    .action(async (options: { json?: boolean }) => {
      const settings = withoutSecrets(context.parts.settings)
      const slots = await probeSlots(probesOf(context.parts), PROBE_TIMEOUT_MS)
      const server = await serverState(context)
      if (options.json)
        return context.out(JSON.stringify({ settings, node: process.version, server, slots }, null, 2))
      context.out(
        textTable(
          ['setting', 'value'],
          Object.entries(settings).map(([name, value]) => [name, textOf(value)]),
        ),
      )
      context.out(`\nNode ${process.version} on ${process.platform}-${process.arch}; server: ${server}\n`)
      context.out(
        textTable(
          ['slot', 'adapter', 'status', 'connected to'],
          slots.map((slot) => [slot.slot, slot.adapter, slot.status, slot.detail]),
        ),
      )
      for (const { slot, problem } of slots) if (problem !== null) context.out(`\n${slot}: ${problem}`)
    })
}

function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** What may be shown: that a secret is set, not what it is. */
function withoutSecrets(settings: Settings): Settings {
  const { apiKey, kafka, mlflow, s3, spark, trino } = settings
  return {
    ...settings,
    apiKey: masked(apiKey),
    databaseUrl: settings.databaseUrl === null ? null : maskedUrl(settings.databaseUrl),
    redisUrl: settings.redisUrl === null ? null : maskedUrl(settings.redisUrl),
    kafka: kafka === null ? null : { ...kafka, password: masked(kafka.password) },
    spark: spark === null ? null : { ...spark, remote: sparkAddress(spark) },
    trino: trino === null ? null : { ...trino, password: masked(trino.password) },
    mlflow:
      mlflow === null ? null : { ...mlflow, password: masked(mlflow.password), token: masked(mlflow.token) },
    s3: s3 === null ? null : { ...s3, secretAccessKey: '(set)' },
  }
}

function masked(secret: string | null): string | null {
  return secret === null ? null : '(set)'
}

async function serverState(context: CliContext): Promise<string> {
  const api = openApi(context)
  return api.get('/health').then(
    ({ status }) => `answers ${status} at ${api.baseUrl}`,
    () => `not running at ${api.baseUrl}`,
  )
}
