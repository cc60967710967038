export { DuckDbParquetEngine } from './duckdb-parquet-engine.ts'
export { relationOf } from './relation.ts'
export { sqlName, sqlText, sqlType } from './sql-types.ts'
