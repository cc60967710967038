import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GroupInfo } from '@arus/event-log'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { Analytics } from '../analytics/analytics.ts'
import type { Health, LagHistoryBody, SystemMetrics } from '../api-schema/index.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { ErasureReport } from '../erasure/erasure.ts'
import type { Ingest } from '../events/ingest.ts'
import type { Experiments } from '../experiments/experiments.ts'
import type { ApiKeys } from '../keys/api-key.ts'
import type { TablePages } from '../lake/table-pages.ts'
import type { LiveState } from '../live/live-state.ts'
import type { LagSpan } from '../operations/lag-history.ts'
import type { LakeSql } from '../query/lake-sql.ts'
import type { PreviewRequest, RulesPreview } from '../recommend/arrange/preview-rules.ts'
import type { ExplainedAnswer } from '../recommend/passport/explain-answer.ts'
import type { Recommender } from '../recommend/recommender.ts'
import type { ModelVersion } from '../registry/registry.ts'
import type { Rules } from '../rules/rule-book.ts'

/** A stretch of event time, UTC milliseconds; open ends are the source's to fill. */
export interface Period {
  readonly fromMs?: number
  readonly toMs?: number
}

/** What the API is built from. Functions give the part as it is now, or null when it is gone. */
export interface ApiDeps {
  readonly version: string
  readonly recommender: Recommender
  readonly catalogue: () => Catalogue | null
  readonly live: () => LiveState | null
  readonly ingest: () => Ingest | null
  readonly analytics: Analytics
  readonly sql: LakeSql
  readonly tables: TablePages
  /** Null for an answer that was never given. */
  readonly passports: {
    explain(
      recommendationId: string,
      options: { readonly isRecomputed: boolean },
    ): Promise<ExplainedAnswer | null>
  }
  /** Rules of the business. */
  readonly rules: Rules
  /** An answer with the rules kept and with others. */
  readonly previewRules: (request: PreviewRequest) => Promise<RulesPreview>
  /** Newest first. */
  readonly models: () => Promise<readonly ModelVersion[]>
  readonly experiments: Experiments
  readonly health: () => Promise<Health>
  readonly systemMetrics: () => Promise<SystemMetrics>
  /** How far behind consumer groups were, over the last hour or day. */
  readonly lagHistory: (span: LagSpan) => LagHistoryBody
  /** Consumer groups of the log, for the lag gauges of `/metrics`. */
  readonly consumerGroups: () => Promise<readonly GroupInfo[]>
  /** Passports that could not be written so far. */
  readonly droppedPassports?: () => number
  /** Answers of models in the shadow that were not computed so far. */
  readonly droppedShadows?: () => number
  /** Erases a shopper; resolves when it is done. */
  readonly forget: (shopper: string) => Promise<ErasureReport>
  /** Told of every answered request (streams excepted). */
  readonly onRequest?: (latencyMs: number, status: number) => void
  readonly bodyLimitBytes: number
  /** How long an `Idempotency-Key` is remembered. Default 24 h. */
  readonly idempotencyWindowMs?: number
  /** Keys that requests must present; absent means that none is needed. */
  readonly keys?: ApiKeys
  /** Requests per minute and address where no keys are needed; absent means no limit. */
  readonly rateLimitPerMinute?: number
  /** Addresses of proxies whose `x-forwarded-for` is believed. */
  readonly trustedProxies?: readonly string[]
  readonly logger?: FastifyBaseLogger
  /** Logs every request; slow. */
  readonly isRequestLogged?: boolean
  readonly now: () => number
  /** Silence on a stream after which a comment is sent. Default 15,000. */
  readonly heartbeatMs?: number
  /** A client of a stream that takes nothing for so long is dropped. Default 30,000. */
  readonly stallTimeoutMs?: number
}

/** The Fastify instance routes are added to: schemas are TypeBox, handlers get their types. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
