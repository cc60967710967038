import { Command } from 'commander'
import { maskedUrl } from '../config/masked-url.ts'
import type { Settings } from '../config/settings.ts'
import { probeSlots, type SlotProbe } from '../operations/health.ts'
import { openApi } from './api-client.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

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
      const slots = await probeSlots(probesOf(context.parts))
      const server = await serverState(context)
      if (options.json)
        return context.out(JSON.stringify({ settings, node: process.version, server, slots }, null, 2))
      context.out(
        textTable(
          ['setting', 'value'],
          Object.entries(settings).map(([name, value]) => [name, String(value)]),
        ),
      )
      context.out(`\nNode ${process.version} on ${process.platform}-${process.arch}; server: ${server}\n`)
      context.out(
        textTable(
          ['slot', 'adapter', 'status', 'connected to'],
          slots.map((slot) => [slot.slot, slot.adapter, slot.status, slot.detail]),
        ),
      )
    })
}

/** What may be shown: that a secret is set, not what it is. */
function withoutSecrets(settings: Settings): Settings {
  return {
    ...settings,
    apiKey: settings.apiKey === null ? null : '(set)',
    databaseUrl: settings.databaseUrl === null ? null : maskedUrl(settings.databaseUrl),
    redisUrl: settings.redisUrl === null ? null : maskedUrl(settings.redisUrl),
  }
}

async function serverState(context: CliContext): Promise<string> {
  const api = openApi(context)
  return api.get('/health').then(
    ({ status }) => `answers ${status} at ${api.baseUrl}`,
    () => `not running at ${api.baseUrl}`,
  )
}
