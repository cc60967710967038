export type { ClientOptions, RequestContext, SparkConnectClient } from './client.ts'
export { type ConnectOptions, connect } from './connect.ts'
export { type ConnectionString, parseConnectionString } from './connection-string.ts'
export type { CollectOptions, DataFrame, GroupedData, JoinKind } from './data-frame.ts'
export type { DataFrameReader } from './data-frame-reader.ts'
export type { DataFrameWriter } from './data-frame-writer.ts'
export type { DataStreamWriter, Trigger } from './data-stream-writer.ts'
export type { TimestampForm } from './decode-column.ts'
export {
  SPARK_ERRORS,
  SparkError,
  type SparkErrorCode,
  type SparkErrorDetails,
  type SparkQueryContext,
} from './errors.ts'
export type { ExecuteOptions, ExecutionProgress, Plan } from './execute.ts'
export { type SqlParameters, type TypedLiteral, type TypedValue, typed } from './literal.ts'
export { batchOf, batchOfColumns } from './local-data.ts'
export type { Ml, MlModel, MlParams } from './ml.ts'
export type { Relation } from './relation.ts'
export { DEFAULT_RETRY_POLICY, type RetryPolicy } from './retry-policy.ts'
export { type Row, rowsOf } from './rows.ts'
export type { RuntimeConfig } from './runtime-config.ts'
export {
  type ArrayType,
  type DataType,
  type MapType,
  type StructField,
  type StructType,
  structOf,
} from './schema.ts'
export type { SparkSession } from './session.ts'
export type { StreamingQueryProgress, StreamingSourceProgress } from './streaming-progress.ts'
export type { StreamingQuery, StreamingQueryStatus } from './streaming-query.ts'
export type { StreamingQueryManager } from './streaming-query-manager.ts'
