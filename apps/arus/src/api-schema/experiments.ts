/** Experiments: A/B tests and models in the shadow. */
import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

const ModeSchema = Type.Union([Type.Literal('ab'), Type.Literal('shadow')], {
  description: 'ab: shoppers are answered differently; shadow: nobody is, a model is only compared.',
})
const PrimaryMetricSchema = Type.Union([
  Type.Literal('click_through'),
  Type.Literal('conversion'),
  Type.Literal('revenue'),
])
const MetricSchema = Type.Union([
  Type.Literal('click_through'),
  Type.Literal('conversion'),
  Type.Literal('revenue'),
  Type.Literal('latency'),
  Type.Literal('fallback_rate'),
])
const GuardrailSchema = Type.Object(
  {
    metric: MetricSchema,
    max_loss: Type.Number({
      minimum: 0,
      maximum: 10,
      description:
        'Loss tolerated, relative to the control: 0.02 is 2 %; of fallback_rate 2 more in 100 answers.',
    }),
  },
  { additionalProperties: false },
)
const Scenario = Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,39}$' })
const VariantName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$' })
const Share = Type.Number({
  minimum: 0.001,
  maximum: 1_000_000,
  description: 'Relative to the others’ shares.',
})
const ModelVersion = Nullable(
  Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Null: the version in production.' }),
)

const ExposureSchema = Type.Union([Type.Literal('answered'), Type.Literal('viewed')], {
  description: 'Shoppers count from the first answer they got, or saw (recommendation_viewed).',
})

const PlanFields = {
  traffic: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    description: 'Share of shoppers in it; of answers where it is a shadow.',
  }),
  alpha: Type.Number({
    minimum: 0.0001,
    maximum: 0.2,
    description: 'Probability of a wrong verdict of difference, over the whole time of watching.',
  }),
  minimum_effect: Type.Number({
    minimum: 0.001,
    maximum: 10,
    description: 'The smallest difference worth having, relative to the control.',
  }),
  window_minutes: Type.Integer({
    minimum: 1,
    maximum: 129_600,
    description: 'What a shopper does counts for so long after they were first exposed.',
  }),
  planned_units: Type.Integer({
    minimum: 100,
    maximum: 1_000_000_000,
    description: 'Shoppers expected: the test is sharpest about there, and valid anywhere.',
  }),
  auto_stop: Type.Boolean({ description: 'Stops when a variant is worse or breaks a guardrail.' }),
}

const VerdictSchema = Type.Object({
  kind: Type.Union([
    Type.Literal('undecided'),
    Type.Literal('better'),
    Type.Literal('worse'),
    Type.Literal('no_difference'),
    Type.Literal('invalid'),
  ]),
  variant: Nullable(Type.String({ description: 'The one that is better.' })),
  reasons: Type.Array(Type.String()),
})

export const ExperimentSchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  status: Type.Union([Type.Literal('draft'), Type.Literal('running'), Type.Literal('stopped')]),
  mode: ModeSchema,
  scenarios: Type.Array(Type.String(), { description: 'Empty: all.' }),
  ...PlanFields,
  variants: Type.Array(Type.Object({ name: Type.String(), share: Share, model_version: ModelVersion })),
  primary_metric: PrimaryMetricSchema,
  guardrails: Type.Array(GuardrailSchema),
  exposure: ExposureSchema,
  created_at: Type.Integer({ description: 'UTC ms.' }),
  started_at: Nullable(Type.Integer({ description: 'UTC ms.' })),
  stopped_at: Nullable(Type.Integer({ description: 'UTC ms.' })),
  stop_reason: Nullable(Type.String()),
  verdict: Nullable(VerdictSchema),
})
export type ExperimentBody = Static<typeof ExperimentSchema>

export const ExperimentsSchema = Type.Object({ experiments: Type.Array(ExperimentSchema) })

export const NewExperimentSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S', description: 'For people.' }),
    mode: Type.Optional(ModeSchema),
    scenarios: Type.Optional(
      Type.Array(Scenario, { maxItems: 20, description: 'Of the answers it holds for; none means all.' }),
    ),
    variants: Type.Array(
      Type.Object(
        {
          name: VariantName,
          share: Type.Optional(Share),
          model_version: Type.Optional(ModelVersion),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 10, description: 'The first of an A/B test is the control.' },
    ),
    primary_metric: Type.Optional(PrimaryMetricSchema),
    guardrails: Type.Optional(Type.Array(GuardrailSchema, { maxItems: 5 })),
    exposure: Type.Optional(ExposureSchema),
    traffic: Type.Optional(PlanFields.traffic),
    alpha: Type.Optional(PlanFields.alpha),
    minimum_effect: Type.Optional(PlanFields.minimum_effect),
    window_minutes: Type.Optional(PlanFields.window_minutes),
    planned_units: Type.Optional(PlanFields.planned_units),
    auto_stop: Type.Optional(PlanFields.auto_stop),
  },
  {
    additionalProperties: false,
    examples: [
      {
        name: 'newer model',
        scenarios: ['home'],
        variants: [{ name: 'control' }, { name: 'newer', model_version: 2 }],
        guardrails: [{ metric: 'conversion', max_loss: 0.05 }],
      },
    ],
  },
)

const MomentsSchema = Type.Object({
  count: Type.Integer({ description: 'Shoppers whose window is over.' }),
  mean: Type.Number(),
  variance: Type.Number(),
})
const ComparisonFields = {
  metric: MetricSchema,
  control: Type.Number(),
  treated: Type.Number(),
  lift: Nullable(Type.Number({ description: 'Relative to the control.' })),
  lift_low: Nullable(Type.Number({ description: 'With `lift_high` the range that holds it at all times.' })),
  lift_high: Nullable(Type.Number()),
  p_value: Type.Number({ description: 'Always valid: may be looked at as often as one likes.' }),
}
const Milliseconds = Nullable(Type.Number())

/** `GET /experiments/{id}`: an experiment, and what it has come to. */
export const ExperimentDetailSchema = Type.Object({
  ...ExperimentSchema.properties,
  /** Null for a draft. */
  results: Nullable(
    Type.Object({
      verdict: Nullable(VerdictSchema),
      sample_ratio: Nullable(Type.Object({ p_value: Type.Number(), is_mismatch: Type.Boolean() })),
      variants: Type.Array(
        Type.Object({
          name: Type.String(),
          units: Type.Integer({ description: 'Shoppers exposed to it.' }),
          answers: Type.Integer(),
          fell_back: Type.Integer({ description: 'Answers that production gave in its place.' }),
          metrics: Type.Object({
            click_through: MomentsSchema,
            conversion: MomentsSchema,
            revenue: MomentsSchema,
            latency: MomentsSchema,
            fallback_rate: MomentsSchema,
          }),
        }),
      ),
      comparisons: Type.Array(
        Type.Object({
          variant: Type.String(),
          verdict: Type.String(),
          reasons: Type.Array(Type.String()),
          primary: Type.Object(ComparisonFields),
          guardrails: Type.Array(
            Type.Object({
              ...ComparisonFields,
              max_loss: Type.Number(),
              state: Type.Union([Type.Literal('held'), Type.Literal('breached'), Type.Literal('undecided')]),
            }),
          ),
        }),
      ),
      shadows: Type.Array(
        Type.Object({
          variant: Type.String(),
          answers: Type.Integer(),
          overlap: Type.Number(),
          rank_agreement: Type.Number(),
          answer_ms_p50: Milliseconds,
          answer_ms_p99: Milliseconds,
          shadow_ms_p50: Milliseconds,
          shadow_ms_p99: Milliseconds,
          clicks: Type.Integer({ description: 'Later clicks of the same shoppers, within the window.' }),
          shown_hits: Type.Integer({ description: 'Of these, on products of the answer.' }),
          shadow_hits: Type.Integer({ description: 'On products the shadow would have shown.' }),
          elsewhere_clicks: Type.Integer({ description: 'Clicks that no recommendation led to.' }),
          elsewhere_shown_hits: Type.Integer(),
          elsewhere_shadow_hits: Type.Integer(),
        }),
      ),
      counted_until: Nullable(
        Type.Integer({ description: 'Shoppers first exposed before this moment count, UTC ms.' }),
      ),
      as_of: Type.Object({
        table_versions: Type.Record(Type.String(), Type.Integer()),
        took_ms: Type.Number(),
      }),
    }),
  ),
})
export type ExperimentDetailBody = Static<typeof ExperimentDetailSchema>
