import { sqlText } from './sql-types.ts'

const STRING_MAP = 'MAP(VARCHAR, VARCHAR)'

/** Columns of a classic checkpoint (Protocol, "Checkpoint Schema") as DuckDB types. */
const COLUMNS: Readonly<Record<string, string>> = {
  txn: 'STRUCT(appId VARCHAR, "version" BIGINT, lastUpdated BIGINT)',
  add: `STRUCT(path VARCHAR, partitionValues ${STRING_MAP}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR, tags ${STRING_MAP})`,
  remove: `STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, partitionValues ${STRING_MAP}, size BIGINT)`,
  metaData: `STRUCT(id VARCHAR, "name" VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options ${STRING_MAP}), schemaString VARCHAR, partitionColumns VARCHAR[], configuration ${STRING_MAP}, createdTime BIGINT)`,
  protocol:
    'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures VARCHAR[])',
}

export const CHECKPOINT_COLUMNS: readonly string[] = Object.keys(COLUMNS)

/** Argument of `read_json`: the columns and their types. */
export const CHECKPOINT_JSON_COLUMNS: string = `{${Object.entries(COLUMNS)
  .map(([name, type]) => `${sqlText(name)}: ${sqlText(type)}`)
  .join(', ')}}`
