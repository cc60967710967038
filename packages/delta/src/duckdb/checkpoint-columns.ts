import type { Action } from '../actions.ts'

const STRING_MAP = 'MAP(VARCHAR, VARCHAR)'
const VECTOR =
  'STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, "offset" INTEGER, sizeInBytes INTEGER, cardinality BIGINT, maxRowIndex BIGINT)'
const ROW_IDS = ', baseRowId BIGINT, defaultRowCommitVersion BIGINT'

/**
 * Columns of a checkpoint (Protocol, "Checkpoint Schema") as DuckDB types. What only newer tables have is left out where
 * no action has it, so that older readers meet nothing they do not know.
 */
export function checkpointColumns(actions: readonly Action[]): Readonly<Record<string, string>> {
  const files = actions
    .map((action) => action.add ?? action.remove)
    .filter((file) => file !== null && file !== undefined)
  const vector = files.some((file) => file.deletionVector) ? `, deletionVector ${VECTOR}` : ''
  const rowIds = files.some((file) => typeof (file.baseRowId ?? file.defaultRowCommitVersion) === 'number')
    ? ROW_IDS
    : ''
  const clustering = actions.some(({ add }) => add?.clusteringProvider) ? ', clusteringProvider VARCHAR' : ''
  const columns: Record<string, string> = {
    txn: 'STRUCT(appId VARCHAR, "version" BIGINT, lastUpdated BIGINT)',
    add: `STRUCT(path VARCHAR, partitionValues ${STRING_MAP}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR, tags ${STRING_MAP}${vector}${rowIds}${clustering})`,
    remove: `STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, partitionValues ${STRING_MAP}, size BIGINT, tags ${STRING_MAP}${vector}${rowIds})`,
    metaData: `STRUCT(id VARCHAR, "name" VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options ${STRING_MAP}), schemaString VARCHAR, partitionColumns VARCHAR[], configuration ${STRING_MAP}, createdTime BIGINT)`,
    protocol:
      'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures VARCHAR[])',
  }
  if (actions.some((action) => action.domainMetadata))
    columns.domainMetadata = 'STRUCT("domain" VARCHAR, configuration VARCHAR, removed BOOLEAN)'
  if (actions.some((action) => action.checkpointMetadata))
    columns.checkpointMetadata = `STRUCT("version" BIGINT, tags ${STRING_MAP})`
  return columns
}
