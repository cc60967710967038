/** SQL and the table pages. */
import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

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

const TableHealthSchema = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('attention')]),
  /** What calls for attention, in words. */
  reasons: Type.Array(Type.String()),
  small_files: Type.Integer({ description: 'Files under 16 MiB.' }),
  small_file_fraction: Nullable(Type.Number()),
  /** Small files in the partition that has most of them. */
  small_files_in_partition_max: Type.Integer(),
  commits_since_checkpoint: Type.Integer(),
  age_seconds: Nullable(Type.Number({ description: 'Since the last commit.' })),
})

/** One table of `GET /tables`; a table nothing was written to yet has no version. */
export const TableSummarySchema = Type.Object({
  name: Type.String(),
  meaning: Type.String(),
  version: Nullable(Type.Integer()),
  rows: Type.Integer(),
  files: Type.Integer(),
  size_bytes: Type.Integer(),
  updated_at: Nullable(Type.Integer({ description: 'UTC milliseconds.' })),
  health: Nullable(TableHealthSchema),
})
export type TableSummary = Static<typeof TableSummarySchema>

export const TablesSchema = Type.Object({ tables: Type.Array(TableSummarySchema) })

/** The newest result of one quality check of a table. */
const QualityResultSchema = Type.Object({
  check: Type.String(),
  kind: Type.String(),
  severity: Type.String(),
  checked_rows: Type.Integer(),
  failing_rows: Type.Integer(),
  sample_keys: Nullable(Type.String()),
  table_version: Type.Integer(),
  checked_at: Type.String({ format: 'date-time' }),
})

/** `GET /tables/{name}` */
export const TableDetailSchema = Type.Object({
  name: Type.String(),
  meaning: Type.String(),
  version: Type.Integer(),
  rows: Type.Integer(),
  files: Type.Integer(),
  size_bytes: Type.Integer(),
  updated_at: Nullable(Type.Integer({ description: 'UTC milliseconds.' })),
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.String({ description: 'Of Delta; nested types as JSON.' }),
      nullable: Type.Boolean(),
      unit: Nullable(Type.String()),
      meaning: Nullable(Type.String()),
    }),
  ),
  partition_columns: Type.Array(Type.String()),
  properties: Type.Record(Type.String(), Type.String()),
  protocol: Type.Object({
    min_reader_version: Type.Integer(),
    min_writer_version: Type.Integer(),
    reader_features: Type.Array(Type.String()),
    writer_features: Type.Array(Type.String()),
  }),
  health: TableHealthSchema,
  /** Null where the lake keeps no results of checks. */
  quality: Nullable(Type.Array(QualityResultSchema)),
})
export type TableDetail = Static<typeof TableDetailSchema>
export type QualityReport = NonNullable<TableDetail['quality']>[number]

/** `GET /tables/{name}/history`, newest first. */
export const TableHistorySchema = Type.Object({
  versions: Type.Array(
    Type.Object({ version: Type.Integer(), at: Type.Integer(), operation: Type.String() }),
  ),
  next_cursor: Nullable(Type.String()),
})
export type TableHistory = Static<typeof TableHistorySchema>

/** `GET /tables/{name}/files`, by path; every page is of one version. */
export const TableFilesSchema = Type.Object({
  version: Type.Integer(),
  total: Type.Integer(),
  files: Type.Array(
    Type.Object({
      path: Type.String(),
      size_bytes: Type.Integer(),
      rows: Nullable(Type.Integer()),
      modified_at: Type.Integer(),
      partition: Type.Record(Type.String(), Nullable(Type.String())),
      stats: Nullable(
        Type.Object({
          min: Type.Record(Type.String(), Type.Unknown()),
          max: Type.Record(Type.String(), Type.Unknown()),
          null_count: Type.Record(Type.String(), Type.Unknown()),
        }),
      ),
    }),
  ),
  next_cursor: Nullable(Type.String()),
})
export type TableFiles = Static<typeof TableFilesSchema>
