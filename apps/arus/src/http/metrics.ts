import type { PartitionLag } from '@arus/event-log'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { IngestResult } from '../events/ingest.ts'
import type { Api, ApiDeps } from './api-deps.ts'

/** Counters of the API, for `GET /metrics`. */
export interface ApiMetrics {
  countIngest(result: IngestResult): void
  /** An answered recommendation, by the level that gave it; null is the model. */
  countRecommendation(fallback: string | null): void
  countStream(change: 1 | -1, stream: string): void
  /** All metrics in Prometheus text format 0.0.4. */
  text(): Promise<string>
  readonly contentType: string
}

const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

/** Measures every request of `app` and gathers what else `deps` know when asked. */
export function measure(app: Api, deps: ApiDeps): ApiMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const duration = new Histogram({
    name: 'arus_http_request_duration_seconds',
    help: 'Time to answer, by route, method and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_SECONDS,
    registers,
  })
  const events = new Counter({
    name: 'arus_events_total',
    help: 'Events received, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const recommendations = new Counter({
    name: 'arus_recommendations_total',
    help: 'Recommendations answered, by the level that gave them (none: the model).',
    labelNames: ['fallback'],
    registers,
  })
  const streams = new Gauge({
    name: 'arus_sse_connections',
    help: 'Open event streams.',
    labelNames: ['stream'],
    registers,
  })
  gaugesOfDeps(deps, registers)
  const durationOf = remembered(duration)
  app.addHook('onResponse', (request, reply, done) => {
    if (request.routeOptions.config.isStream !== true) {
      const latencyMs = reply.elapsedTime
      durationOf(request, reply).observe(latencyMs / 1000)
      deps.onRequest?.(latencyMs, reply.statusCode)
    }
    done()
  })
  return {
    countIngest({ accepted, duplicates, rejected }) {
      events.inc({ outcome: 'accepted' }, accepted)
      events.inc({ outcome: 'duplicate' }, duplicates)
      events.inc({ outcome: 'rejected' }, rejected)
    },
    countRecommendation: (fallback) => recommendations.inc({ fallback: fallback ?? 'none' }),
    countStream: (change, stream) => streams.inc({ stream }, change),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

type Observer = Pick<Histogram.Internal<string>, 'observe'>

/** Series by route and status: looked up by labels, each costs more than what it measures. Routes and statuses are few. */
function remembered(duration: Histogram<string>): (request: FastifyRequest, reply: FastifyReply) => Observer {
  const known = new WeakMap<object, Map<string, Observer>>()
  return ({ method, routeOptions }, { statusCode }) => {
    const { config, url: route = 'unmatched' } = routeOptions
    let ofRoute = known.get(config)
    if (ofRoute === undefined) {
      ofRoute = new Map()
      known.set(config, ofRoute)
    }
    const key = `${method} ${statusCode}`
    let series = ofRoute.get(key)
    if (series === undefined) {
      series = duration.labels({ method, route, status: statusCode })
      ofRoute.set(key, series)
    }
    return series
  }
}

interface GaugeOfGroups {
  readonly name: string
  readonly help: string
  readonly read: (partition: PartitionLag) => number
}

const GAUGES_OF_GROUPS: readonly GaugeOfGroups[] = [
  {
    name: 'arus_consumer_lag_events',
    help: 'Events of the log a consumer group has not processed, by partition.',
    read: ({ lag }) => lag,
  },
  {
    name: 'arus_consumer_lag_seconds',
    help: 'Age of the oldest event a consumer group has not processed, by partition.',
    read: ({ lagMs }) => lagMs / 1000,
  },
  {
    name: 'arus_consumer_lost_events',
    help: 'Events that retention removed before a consumer group had read them, by partition.',
    read: ({ lost }) => lost,
  },
]

function gaugeOfGroups(deps: ApiDeps, registers: Registry[], { name, help, read }: GaugeOfGroups): void {
  new Gauge({
    name,
    help,
    labelNames: ['group', 'topic', 'partition'],
    registers,
    async collect() {
      this.reset()
      const groups = await deps.consumerGroups().catch(() => [])
      for (const { group, partitions } of groups) {
        for (const lag of partitions)
          this.set({ group, topic: lag.topic, partition: lag.partition }, read(lag))
      }
    },
  })
}

function gaugesOfDeps(deps: ApiDeps, registers: Registry[]): void {
  for (const gauge of GAUGES_OF_GROUPS) gaugeOfGroups(deps, registers, gauge)
  new Gauge({
    name: 'arus_ingest_events_per_second',
    help: 'Durable events per second over the last ten seconds.',
    registers,
    collect() {
      this.set(deps.ingest()?.eventsPerSecond() ?? 0)
    },
  })
  new Gauge({
    name: 'arus_catalogue_products',
    help: 'Products of the catalogue in service; 0 when there is none.',
    registers,
    collect() {
      this.set(deps.catalogue()?.productCount ?? 0)
    },
  })
  new Gauge({
    name: 'arus_passports_dropped',
    help: 'Passports of recommendations that could not be written since the start.',
    registers,
    collect() {
      this.set(deps.droppedPassports?.() ?? 0)
    },
  })
  new Gauge({
    name: 'arus_shadow_answers_dropped',
    help: 'Answers of models in the shadow that were not computed since the start: too many were waiting, or one threw.',
    registers,
    collect() {
      this.set(deps.droppedShadows?.() ?? 0)
    },
  })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route answers with an event stream that may stay open for hours. */
    readonly isStream?: boolean
  }
}
