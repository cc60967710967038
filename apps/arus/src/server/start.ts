import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CliContext } from '../cli/context.ts'
import type { StartOptions } from '../cli/start-command.ts'
import { dataFolders } from '../config/settings.ts'
import { buildDashboardIfNeeded } from '../dashboard-server/build-dashboard.ts'
import { startDashboard } from '../dashboard-server/dashboard-server.ts'
import { buildSdkIfNeeded } from '../http/sdk/build-sdk.ts'
import { lockServer } from '../operations/server-lock.ts'
import { Closing } from './closing.ts'
import { firstHistory } from './first-history.ts'
import { ensureCatalogue } from './first-shop.ts'
import { keyAdvice } from './key-advice.ts'
import { keepShopping } from './live-shoppers.ts'
import { keepModelFresh } from './retrain.ts'
import { startServer } from './server.ts'
import { tryThis } from './try-this.ts'

/** Everything `npm start` does, until the context's signal aborts; then stops cleanly. */
export async function start(context: CliContext, options: StartOptions): Promise<void> {
  const { parts, signal } = context
  const { settings } = parts
  const folders = dataFolders(settings)
  const closing = new Closing()
  const release = lockServer(join(folders.root, 'server.lock'))
  closing.add(async () => release())
  try {
    const startedAt = performance.now()
    const dashboard = options.dashboard ? buildDashboardIfNeeded({ onProgress: context.onProgress }) : null
    // Awaited below; a failure must not surface as unhandled while the catalogue is being imported.
    dashboard?.catch(() => {})
    // So that the first request need not wait; one that fails is tried again by the next, which tells.
    buildSdkIfNeeded().catch(() => {})
    const origin = await ensureCatalogue(context, options)
    const server = await startServer({ parts, version: versionOf(), now: Date.now })
    closing.add(() => server.close())
    if (dashboard !== null) {
      const page = await startDashboard({
        host: settings.host,
        port: settings.dashboardPort,
        apiPort: settings.apiPort,
        distFolder: await dashboard,
      })
      closing.add(() => page.close())
    }
    if (origin === 'generated') await firstHistory(context, server, options.seed)
    context.note(
      await tryThis({
        context,
        server,
        tookMs: performance.now() - startedAt,
        hasDashboard: dashboard !== null,
      }),
    )
    const warning = await keyAdvice(parts)
    if (warning !== null) context.note(warning)
    const rate = options.shoppers ?? (origin === 'generated' ? 2 : 0)
    await Promise.all([
      keepModelFresh(context, server),
      keepShopping({ catalogue: await parts.catalogue(), server, rate, seed: options.seed, signal }),
      aborted(signal),
    ])
    context.note('\nStopping …')
  } finally {
    await closing.close()
  }
}

function versionOf(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  return (manifest as { readonly version: string }).version
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
