export { DuckDbParquetEngine } from './duckdb-parquet-engine.ts'
export { sqlName, sqlText, sqlType } from './sql-types.ts'
export type { FileOptions } from './write-files.ts'
