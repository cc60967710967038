import { DeltaError, type DeltaErrorCode } from '../errors.ts'

/** What DuckDB's messages tell of the files behind a query, the first that fits. */
const MEANINGS: readonly (readonly [pattern: RegExp, code: DeltaErrorCode, what: string])[] = [
  [/No files found that match/, 'DELTA_NOT_FOUND', 'A data file is gone'],
  [/No space left on device/, 'DELTA_STORAGE_FULL', 'There is no room on the disk'],
  [
    /No magic bytes|too small to be a Parquet|Failed to read Parquet|footer length|Invalid (?:TType|string encoding)|TProtocol|corrupt|don't know what type|Snappy decompression|ZSTD Decompression|Out of buffer|data page|could not read enough bytes/i,
    'DELTA_FILE_CORRUPT',
    'A data file is damaged, or no Parquet file',
  ],
  [
    /MAP_KEY_VALUE|LIST requires|MAP requires/,
    'DELTA_FEATURE_UNSUPPORTED',
    'A data file lays out a list or map in a way that is not read here',
  ],
  [
    /^Conversion Error|failed to cast column|STRUCT to STRUCT cast|Unimplemented type for cast|must be of type/,
    'DELTA_SCHEMA_MISMATCH',
    'A value does not have the type that the table declares',
  ],
]

/** The typed error of a query that DuckDB refused. */
export function queryError(error: unknown): unknown {
  if (error instanceof DeltaError || !(error instanceof Error)) return error
  const [line = ''] = error.message.split('\n')
  const meaning = MEANINGS.find(([pattern]) => pattern.test(error.message))
  if (meaning) return new DeltaError(meaning[1], `${meaning[2]}: ${line}`, error)
  return new DeltaError('DELTA_QUERY_INVALID', `The query failed: ${line}`, error)
}
