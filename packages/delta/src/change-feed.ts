import type { Metadata, Protocol } from './actions.ts'
import { DeltaError } from './errors.ts'
import { column, type StructField, type StructType } from './schema.ts'
import { isEnabled, supportsFeature } from './table-features.ts'

/** Folder of the files that hold changed rows. Protocol, "Change Data Files". */
export const CHANGE_FOLDER = '_change_data'

const CHANGE_TYPE_NAME = '_change_type'

/**
 * The column of change data files that says what became of a row: `insert`, `delete`, `update_preimage` or
 * `update_postimage`. It goes by this name whatever the table's column mapping, and has no field id.
 */
export const CHANGE_TYPE: StructField = {
  ...column(CHANGE_TYPE_NAME, 'string'),
  metadata: { 'delta.columnMapping.physicalName': CHANGE_TYPE_NAME },
}

const RESERVED: readonly string[] = [CHANGE_TYPE_NAME, '_commit_version', '_commit_timestamp']

/** True when writers must tell what they change. Protocol, "Writer Requirements for AddCDCFile". */
export function keepsChangeFeed(table: {
  readonly protocol: Protocol
  readonly metadata: Metadata
}): boolean {
  return (
    isEnabled(table.metadata, 'delta.enableChangeDataFeed') &&
    supportsFeature(table.protocol, 'changeDataFeed')
  )
}

/** Throws `DELTA_SCHEMA_INVALID` where a column has the name of one of the feed. */
export function assertNoFeedColumns(schema: StructType): void {
  const clash = schema.fields.find(({ name }) => RESERVED.includes(name.toLowerCase()))
  if (clash)
    throw new DeltaError(
      'DELTA_SCHEMA_INVALID',
      `Column ${clash.name} has the name of a column of the change data feed; rename it, or set delta.enableChangeDataFeed to false`,
    )
}
