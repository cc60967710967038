import type { CliContext } from '../cli/context.ts'
import type { Server } from './server.ts'

export interface TryThisOptions {
  readonly context: CliContext
  readonly server: Server
  readonly tookMs: number
  readonly hasDashboard: boolean
}

/** What the terminal says once everything serves: where to look, and three lines that work as they stand. */
export async function tryThis({ context, server, tookMs, hasDashboard }: TryThisOptions): Promise<string> {
  const { settings } = context.parts
  const host = settings.host === '0.0.0.0' ? 'localhost' : settings.host
  const api = `http://${host}:${settings.apiPort}`
  const [product] = (await context.parts.catalogue()).popular(1)
  const key = settings.isKeyRequired ? ` -H "authorization: Bearer $ARUS_API_KEY"` : ''
  const event = JSON.stringify([{ user_id: 1, action: 'view', product_id: product?.product_id ?? 'none' }])
  const model = server.models.current()
  return [
    '',
    `Arus is ready, ${(tookMs / 1000).toFixed(1)} s after it was started.`,
    '',
    `  API        ${api}        docs ${api}/docs`,
    ...(hasDashboard ? [`  Dashboard  http://${host}:${settings.dashboardPort}`] : []),
    `  Model      ${model === null ? 'none yet: send events, then "npx arus train"' : `${model.kind}, version ${model.version}`}`,
    '',
    'Try:',
    '',
    `  curl '${api}/recommendations/user/1?limit=5'${key}`,
    `  curl -X POST ${api}/stream/events${key} -H 'content-type: application/json' -d '${event}'`,
    `  curl -N ${api}/stream/analytics${key}`,
    '',
    'Or "npx arus demo" for a tour. Ctrl-C stops.',
  ].join('\n')
}
