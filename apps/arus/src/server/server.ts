import { randomFillSync } from 'node:crypto'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { createAnalytics } from '../analytics/analytics.ts'
import type { Parts } from '../cli/context.ts'
import { dataFolders } from '../config/settings.ts'
import { ArusError } from '../errors.ts'
import { ensureTopics } from '../events/ensure-topics.ts'
import type { Ingest } from '../events/ingest.ts'
import { createIngest } from '../events/log-ingest.ts'
import { buildApi } from '../http/app.ts'
import { createLogger } from '../http/request-log.ts'
import { KeyRing } from '../keys/key-ring.ts'
import { qualityOf } from '../lake/quality-results.ts'
import { openTablePages } from '../lake/table-pages.ts'
import { type LiveProcessor, startLiveProcessor } from '../live/live-processor.ts'
import { overallStatus, probeSlots } from '../operations/health.ts'
import { RequestStatistics } from '../operations/request-statistics.ts'
import { SystemMonitor } from '../operations/system-metrics.ts'
import { previewRules } from '../recommend/arrange/preview-rules.ts'
import { ExposureLog } from '../recommend/passport/exposure-log.ts'
import { createRecommender, type Recommender } from '../recommend/recommender.ts'
import { rememberInFile } from '../recommend/remembered-products.ts'
import { risingIds } from '../rising-ids.ts'
import { RuleBook } from '../rules/rule-book.ts'
import { slotProbes } from '../slot-probes.ts'
import { CatalogueSlot } from './catalogue-slot.ts'
import { Closing } from './closing.ts'
import { experimenting } from './experimenting.ts'
import { forgettingOf } from './forgetting.ts'
import { LakeKeeper } from './lake-keeper.ts'
import { liveOptions } from './live-options.ts'
import { ModelSlot } from './model-slot.ts'
import { passportsOf } from './passports.ts'
import { storageSizes, tableReport } from './storage-report.ts'

/** Arus, serving. */
export interface Server {
  readonly apiUrl: string
  readonly ingest: Ingest
  readonly live: LiveProcessor
  readonly models: ModelSlot
  readonly recommender: Recommender
  /** Brings bronze, silver and gold up to what the log holds now. */
  refineNow(): Promise<void>
  /** Stops taking requests, then lets every consumer finish what it holds. */
  close(): Promise<void>
}

export interface ServerOptions {
  readonly parts: Parts
  readonly version: string
  readonly now: () => number
}

/**
 * Composes the parts into a server and listens. Consumers start before the API, so that its first answer already
 * rests on what the log held. When something fails on the way, what was started is closed again.
 */
export async function startServer({ parts, version, now }: ServerOptions): Promise<Server> {
  const closing = new Closing()
  try {
    return await compose({ parts, version, now }, closing)
  } catch (error) {
    await closing.close()
    throw error
  }
}

async function compose({ parts, version, now }: ServerOptions, closing: Closing): Promise<Server> {
  const { settings } = parts
  const folders = dataFolders(settings)
  const logger = createLogger(settings.logLevel, pino.destination(2))
  const log = await parts.log()
  const topics = await ensureTopics(log, settings)

  const catalogues = new CatalogueSlot(folders.catalogue, logger)
  await catalogues.start()
  closing.add(() => catalogues.close())
  const lake = await parts.lake()
  const state = await parts.state()
  const live = await startLiveProcessor({
    ...(await liveOptions({ settings, log, state, lake, catalogue: () => catalogues.current(), now })),
    onPoison: (batch, offset, error) =>
      logger.warn({ err: error, partition: batch.partition, offset }, 'an entry of the log was passed over'),
    onFault: (error) => logger.error({ err: error }, 'live state met a fault; it goes on'),
  })
  closing.add(() => live.stop())
  const ingest = createIngest({
    log,
    topics,
    isKnown: (ids) => knownIn(live, ids, logger),
    now,
  })

  const place = await parts.place()
  const keeper = LakeKeeper.start(settings, logger)
  closing.add(() => keeper.stop())
  live.onRole((isLeading) => keeper.keep(isLeading))

  const erasures = await parts.erasures()
  const models = new ModelSlot(await parts.registry(), erasures, logger)
  await models.start()
  closing.add(async () => models.close())

  const exposures = new ExposureLog({
    log,
    topic: topics.recommendations,
    onFault: (error) => logger.error({ err: error }, 'passports could not be written'),
  })
  closing.add(() => exposures.close())
  const query = await parts.query()
  const experiments = await experimenting({ parts, query, exposures, logger, now })
  closing.add(() => experiments.close())
  const rules = await RuleBook.open({
    store: await parts.rules(),
    onFault: (error) => logger.error({ err: error }, 'rules could not be read; those known stay in force'),
  })
  closing.add(() => rules.close())
  const recommending = {
    catalogue: () => catalogues.current(),
    live: () => live,
    model: () => models.current(),
    isWithheld: (name: string) => models.isWithheld(name),
    remembered: rememberInFile(join(folders.root, 'best-sellers.json'), (error) =>
      logger.warn({ err: error }),
    ),
    now,
    uuid: risingIds({ now, fillRandom: (bytes) => randomFillSync(bytes) }),
  }
  const recommender = createRecommender({
    ...recommending,
    rules: (scenario, atMs) => rules.inForce(scenario, atMs),
    treatment: (unit, scenario) => experiments.running.treatment(unit, scenario),
    onAnswer: (passport, { again }) => experiments.shadows.take(passport, again),
    onFault: (fault) => logger.error(fault, 'a level of the recommender failed'),
  })

  const forgetting = await forgettingOf({
    parts,
    live,
    keeper,
    refreshModels: async () => {
      await Promise.all([models.refresh(), experiments.running.refresh()])
    },
    flushPassports: () => experiments.flush(),
    ingest,
    logger,
    now,
  })
  closing.add(() => forgetting.stop())

  const requests = new RequestStatistics(now)
  const probe = () => probeSlots(slotProbes(parts))
  const monitor = new SystemMonitor({
    log,
    requests,
    probe,
    tables: tableReport(lake),
    storage: () => storageSizes(settings, place),
    now,
  })
  closing.add(async () => monitor.close())

  const keys = settings.isKeyRequired
    ? await KeyRing.open({
        store: await parts.keys(),
        now,
        onFault: (error) => logger.error({ err: error }, 'keys could not be read; those known stay in force'),
      })
    : null
  if (keys !== null) closing.add(() => keys.close())

  const analytics = createAnalytics({ ...(await parts.analysts()), now, timeZone: settings.timeZone })
  const api = await buildApi({
    version,
    recommender,
    catalogue: () => catalogues.current(),
    live: () => live,
    ingest: () => ingest,
    sql: await parts.sql(),
    tables: openTablePages({ lake, quality: (name) => qualityOf(lake, name), now }),
    analytics,
    passports: passportsOf({
      log,
      topics,
      waiting: experiments,
      registry: await parts.registry(),
      catalogue: () => catalogues.current(),
      rules: await parts.rules(),
      analytics,
      logger,
    }),
    rules,
    previewRules: (request) => previewRules({ ...recommending, rules: () => rules.list() }, request),
    models: async () => (await parts.registry()).list(),
    experiments: experiments.api,
    health: async () => {
      const slots = await probe()
      const model = models.current()
      return {
        status: overallStatus(slots, model !== null),
        version,
        shop: settings.shop,
        uptime_seconds: monitor.uptimeSeconds(),
        products: catalogues.current()?.productCount ?? 0,
        model: model === null ? null : { name: model.kind, version: model.version },
        live_role: live.isLeading ? 'leader' : 'follower',
        slots,
      }
    },
    systemMetrics: () => monitor.metrics(),
    lagHistory: (span) => monitor.lagHistory(span),
    consumerGroups: () => log.groups(),
    droppedPassports: () => exposures.droppedCount,
    droppedShadows: () => experiments.shadows.droppedCount,
    onRequest: (latencyMs, status) => requests.record(latencyMs, status),
    forget: (shopper) => forgetting.forget(shopper),
    bodyLimitBytes: settings.bodyLimitBytes,
    idempotencyWindowMs: settings.idempotencyWindowMs,
    ...(keys === null ? {} : { keys }),
    ...(settings.rateLimitPerMinute === null ? {} : { rateLimitPerMinute: settings.rateLimitPerMinute }),
    ...(settings.trustedProxies.length === 0 ? {} : { trustedProxies: settings.trustedProxies }),
    logger,
    isRequestLogged: settings.logLevel === 'debug',
    now,
  })
  closing.add(() => api.close())
  const apiUrl = await api.listen({ host: settings.host, port: settings.apiPort }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new ArusError('PORT_IN_USE', `Port ${settings.apiPort} is taken; set ARUS_API_PORT to another`, {
      cause: error,
    })
  })

  return {
    apiUrl,
    ingest,
    live,
    models,
    recommender,
    refineNow: () => keeper.refineNow(),
    close: () => closing.close(),
  }
}

/**
 * What was applied before. While live state is away nothing is known, and events are taken in all the same: each counts once
 * by its id, in live state and in the lake, however often it stands in the log.
 */
async function knownIn(live: LiveProcessor, ids: readonly string[], logger: Logger): Promise<boolean[]> {
  return live.isKnown(ids).catch((error: unknown) => {
    logger.warn({ err: error }, 'live state could not be asked which events are known')
    return ids.map(() => false)
  })
}
