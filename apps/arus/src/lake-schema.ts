/** The shapes of the API's SQL and table pages; see `api-schema.ts`. */
import Type, { type Static } from 'typebox'

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const SqlParamSchema = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

/** Body of `POST /sql`. */
export const SqlRequestSchema = Type.Object(
  {
    sql: Type.String({
      minLength: 1,
      maxLength: 200_000,
      description: 'One SELECT over bronze, silver and gold tables.',
      examples: ['SELECT * FROM gold.daily_funnel ORDER BY event_date'],
    }),
    params: Type.Optional(
      Type.Union([Type.Array(SqlParamSchema), Type.Record(Type.String(), SqlParamSchema)], {
        description: 'Values of $1, $2, … in a list, or of $name by name.',
      }),
    ),
    format: Type.Optional(
      Type.Union(
        [Type.Literal('json'), Type.Literal('csv'), Type.Literal('arrow'), Type.Literal('parquet')],
        { description: 'Goes before the Accept header; json when neither says.' },
      ),
    ),
    row_limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Rows at most. Default 10,000.' }),
    ),
    timeout_ms: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 120_000, description: 'Time at most. Default 30,000.' }),
    ),
    at: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'A version, or an instant (ISO 8601), for every table the text does not pin itself.',
      }),
    ),
    cursor: Type.Optional(
      Type.String({ maxLength: 4_000, description: '`next_cursor` of the page before.' }),
    ),
  },
  { additionalProperties: false },
)
export type SqlRequest = Static<typeof SqlRequestSchema>

/** Answer of `POST /sql` as JSON. */
export const SqlResultSchema = Type.Object({
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(Type.Unknown())),
  row_count: Type.Integer(),
  truncated: Type.Boolean({ description: 'More rows exist.' }),
  next_cursor: Nullable(Type.String()),
  warnings: Type.Array(Type.String()),
  table_versions: Type.Record(Type.String(), Type.Integer()),
  took_ms: Type.Number(),
})
export type SqlResult = Static<typeof SqlResultSchema>
