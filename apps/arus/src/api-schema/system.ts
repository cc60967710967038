/** Health, metrics, models and what the server says of itself. */
import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

export const SlotHealthSchema = Type.Object({
  slot: Type.String(),
  adapter: Type.String({ description: 'What the slot is connected to: lmdb, duckdb, sqlite, …' }),
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('down')]),
  detail: Type.String(),
  problem: Nullable(Type.String({ description: 'What is wrong, and what to do; null when all is well.' })),
})

export const HealthSchema = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('down')]),
  version: Type.String(),
  shop: Type.String(),
  uptime_seconds: Type.Number(),
  products: Type.Integer(),
  model: Nullable(Type.Object({ name: Type.String(), version: Type.Integer() })),
  live_role: Type.Union([Type.Literal('leader'), Type.Literal('follower')], {
    description:
      'Of servers that share live state (REDIS_URL) one leads and applies the events, the others follow what it stores. One alone leads.',
  }),
  slots: Type.Array(SlotHealthSchema),
})
export type Health = Static<typeof HealthSchema>

/** `GET /system/metrics`: what whoever is on call looks at. */
export const SystemMetricsSchema = Type.Object({
  services: Type.Array(SlotHealthSchema),
  process: Type.Object({
    uptime_seconds: Type.Number(),
    memory_bytes: Type.Integer(),
    cpu_percent: Type.Number(),
    event_loop_delay_ms_p99: Type.Number(),
  }),
  http: Type.Object({
    requests_per_second: Type.Number(),
    latency_ms_p50: Nullable(Type.Number()),
    latency_ms_p99: Nullable(Type.Number()),
    errors_per_minute: Type.Number(),
  }),
  topics: Type.Array(
    Type.Object({
      topic: Type.String(),
      size_bytes: Type.Integer(),
      messages: Type.Integer(),
      messages_per_second: Type.Number(),
      partitions: Type.Array(
        Type.Object({
          partition: Type.Integer(),
          start_offset: Type.Integer(),
          end_offset: Type.Integer(),
          newest_at: Nullable(Type.Integer()),
        }),
      ),
    }),
  ),
  consumer_groups: Type.Array(
    Type.Object({
      group: Type.String(),
      lag: Type.Integer(),
      lag_seconds: Type.Number(),
      lost: Type.Integer({ description: 'Messages that retention removed before the group had read them' }),
      processed_per_second: Type.Number(),
      partitions: Type.Array(
        Type.Object({
          topic: Type.String(),
          partition: Type.Integer(),
          committed_offset: Type.Integer(),
          end_offset: Type.Integer(),
          lag: Type.Integer(),
          lag_seconds: Type.Number(),
          lost: Type.Integer(),
        }),
      ),
    }),
  ),
  tables: Type.Array(
    Type.Object({
      table: Type.String(),
      version: Type.Integer(),
      rows: Type.Integer(),
      files: Type.Integer(),
      size_bytes: Type.Integer(),
      updated_at: Nullable(Type.Integer()),
      failing_checks: Type.Integer({
        description: 'Quality checks that must hold and failed when they last looked',
      }),
    }),
  ),
  storage: Type.Array(Type.Object({ name: Type.String(), size_bytes: Type.Integer() })),
  /** Throughput of the last 10 minutes, one point each 5 s, oldest first. */
  history: Type.Array(
    Type.Object({
      at: Type.Integer(),
      produced_per_second: Type.Number(),
      processed_per_second: Type.Number(),
      lag: Type.Integer(),
      requests_per_second: Type.Number(),
    }),
  ),
  generated_at: Type.Integer(),
})
export type SystemMetrics = Static<typeof SystemMetricsSchema>

const LagColumns = {
  /** Messages not yet processed, the most of each step; null where nothing was seen. */
  lag: Type.Array(Nullable(Type.Integer())),
  /** Age of the oldest of them, seconds. */
  lag_seconds: Type.Array(Nullable(Type.Number())),
}

/** `GET /system/lag`: how far behind consumer groups were, the worst of each step, oldest first. */
export const LagHistorySchema = Type.Object({
  step_seconds: Type.Integer(),
  /** Beginnings of the steps, UTC ms; all columns have this length. */
  times: Type.Array(Type.Integer()),
  groups: Type.Array(
    Type.Object({
      group: Type.String(),
      ...LagColumns,
      partitions: Type.Array(Type.Object({ topic: Type.String(), partition: Type.Integer(), ...LagColumns })),
    }),
  ),
  generated_at: Type.Integer(),
})
export type LagHistoryBody = Static<typeof LagHistorySchema>

const Metrics = Type.Record(Type.String(), Type.Record(Type.String(), Type.Number()))

function helper(description: string) {
  const kind = Nullable(Type.String({ description: 'Null where it was not surely better than without it' }))
  return Nullable(Type.Object({ kind, metrics: Metrics, reason: Type.String() }, { description }))
}

export const ModelSchema = Type.Object({
  version: Type.Integer(),
  kind: Type.String(),
  status: Type.Union([Type.Literal('candidate'), Type.Literal('production'), Type.Literal('archived')]),
  metrics: Metrics,
  trained_at: Type.Integer(),
  promoted_at: Nullable(Type.Integer()),
  reason: Type.String(),
  outdated: Type.Boolean({
    description: 'A shopper in its training data was erased since; the next training round replaces it',
  }),
  user_count: Type.Integer(),
  product_count: Type.Integer(),
  interaction_count: Type.Integer(),
  session: helper('The model of sessions; null where there were too few sessions to learn from'),
  cart: helper(
    'The model of what is bought together; null where there were too few orders of several products',
  ),
})
export const ModelsSchema = Type.Object({ models: Type.Array(ModelSchema) })
export type ModelsBody = Static<typeof ModelsSchema>

/** `GET /`: where to go from here. */
export const RootSchema = Type.Object({
  name: Type.String(),
  version: Type.String(),
  links: Type.Record(Type.String(), Type.String()),
})

/** `DELETE /users/{user_id}`: what went, and what stays. */
export const ForgottenSchema = Type.Object({
  user_id: Type.String(),
  other_names: Type.Integer({
    description: 'Anonymous ids and sessions that were theirs alone and went along',
  }),
  removed: Type.Record(Type.String(), Type.Integer(), {
    description:
      'How many entries, items or rows went, by place: `log shop.events`, `live state`, `bronze.events`, …',
  }),
  remains: Type.Array(
    Type.Object({
      place: Type.String(),
      what: Type.String(),
      until: Nullable(Type.String({ description: 'ISO 8601; null where it has no end' })),
    }),
    { description: 'What stays, and how long' },
  ),
  outdated_models: Type.Array(Type.Integer(), {
    description: 'Versions with their history in the training data, newest first',
  }),
  model_in_service: Nullable(
    Type.Integer({
      description: 'The one of them that serves, though not them; the next training round replaces it',
    }),
  ),
})
export type Forgotten = Static<typeof ForgottenSchema>
