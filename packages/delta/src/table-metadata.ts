import type { Metadata, Protocol } from './actions.ts'
import { withColumns } from './append-rows.ts'
import { assertNoFeedColumns, keepsChangeFeed } from './change-feed.ts'
import type { CommitRequest } from './commit.ts'
import { fromSparkSql } from './constraints.ts'
import { DeltaError, unsupported } from './errors.ts'
import { filesToScan, openScan } from './scan.ts'
import type { StructField, StructType } from './schema.ts'
import type { Snapshot } from './snapshot.ts'
import { typesIn, withWriterFeature } from './table-features.ts'
import { type OperationResult, type TableAccess, transact } from './transact.ts'

/** The lowest protocol, which every engine reads and writes. */
const LOWEST: Protocol = { minReaderVersion: 1, minWriterVersion: 2 }

/** Properties that need a feature of the protocol, which a table gets when it is created with one of them. */
const FEATURE_OF_PROPERTY: Readonly<Record<string, string>> = {
  'delta.enableChangeDataFeed': 'changeDataFeed',
  'delta.enableInCommitTimestamps': 'inCommitTimestamp',
}

/** Properties that would need more of the protocol than this library writes. */
const REFUSED_PROPERTIES: readonly string[] = [
  'delta.columnMapping.mode',
  'delta.enableDeletionVectors',
  'delta.enableRowTracking',
  'delta.enableTypeWidening',
  'delta.checkpointPolicy',
  'delta.enableIcebergCompatV1',
  'delta.enableIcebergCompatV2',
]

/** The protocol that a schema and properties need; the lowest where nothing asks for more. Throws `DELTA_FEATURE_UNSUPPORTED`. */
export function protocolFor(
  schema: StructType,
  properties: Readonly<Record<string, string>>,
  base: Protocol = LOWEST,
): Protocol {
  let protocol = base
  const usesLocalTimes = [...typesIn(schema)].some((type) => type === 'timestamp_ntz')
  if (usesLocalTimes && !protocol.readerFeatures?.includes('timestampNtz'))
    protocol = withLocalTimes(protocol)
  for (const [name, value] of Object.entries(properties)) {
    if (REFUSED_PROPERTIES.includes(name) && !['none', 'false', 'classic'].includes(value))
      throw unsupported(`the property ${name} = ${value} on a table written here`)
    if (name.toLowerCase().startsWith('delta.constraints.'))
      protocol = withWriterFeature(protocol, 'checkConstraints')
    const feature = FEATURE_OF_PROPERTY[name]
    if (feature !== undefined && value.toLowerCase() === 'true')
      protocol = withWriterFeature(protocol, feature)
  }
  return protocol
}

/** Adds nullable columns at the end; rows that are there have NULL in them. */
export function addColumns(table: TableAccess, columns: readonly StructField[]): Promise<OperationResult> {
  return changeMetadata(table, 'ADD COLUMNS', (snapshot) => withColumns(snapshot, columns))
}

/** Sets properties; null removes one. */
export function setProperties(
  table: TableAccess,
  properties: Readonly<Record<string, string | null>>,
): Promise<OperationResult> {
  return changeMetadata(table, 'SET TBLPROPERTIES', ({ metadata }) => {
    const kept = Object.entries({ ...metadata.configuration, ...properties }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    )
    return { ...metadata, configuration: Object.fromEntries(kept) }
  })
}

/** Adds a CHECK constraint, in Spark's SQL. Throws `DELTA_CONSTRAINT_VIOLATED` when rows that are there break it. */
export function addConstraint(
  table: TableAccess,
  { name, sql }: { readonly name: string; readonly sql: string },
): Promise<OperationResult> {
  const property = `delta.constraints.${name.toLowerCase()}`
  return changeMetadata(table, 'ADD CONSTRAINT', async (snapshot) => {
    if (property in snapshot.metadata.configuration)
      throw new DeltaError('DELTA_VALUE_INVALID', `There is a constraint ${name} already; drop it first`)
    await assertHolds(table, snapshot, { name, sql })
    return { ...snapshot.metadata, configuration: { ...snapshot.metadata.configuration, [property]: sql } }
  })
}

/** Drops a CHECK constraint. Throws `DELTA_VALUE_INVALID` when there is none of that name. */
export function dropConstraint(table: TableAccess, name: string): Promise<OperationResult> {
  const property = `delta.constraints.${name.toLowerCase()}`
  return changeMetadata(table, 'DROP CONSTRAINT', ({ metadata }) => {
    const { [property]: dropped, ...configuration } = metadata.configuration
    if (dropped === undefined) throw new DeltaError('DELTA_VALUE_INVALID', `There is no constraint ${name}`)
    return { ...metadata, configuration }
  })
}

function changeMetadata(
  table: TableAccess,
  operation: string,
  change: (snapshot: Snapshot) => Metadata | Promise<Metadata>,
): Promise<OperationResult> {
  return transact(table, async (snapshot): Promise<CommitRequest> => {
    const metadata = await change(snapshot)
    const schema = JSON.parse(metadata.schemaString) as StructType
    const changed = Object.fromEntries(
      Object.entries(metadata.configuration).filter(
        ([name, value]) => snapshot.metadata.configuration[name] !== value,
      ),
    )
    const protocol = protocolFor(schema, changed, snapshot.protocol)
    if (keepsChangeFeed({ protocol, metadata })) assertNoFeedColumns(schema)
    return {
      add: [],
      metadata,
      ...(protocol === snapshot.protocol ? {} : { protocol }),
      readVersion: snapshot.version,
      operation,
    }
  })
}

async function assertHolds(
  table: TableAccess,
  snapshot: Snapshot,
  { name, sql }: { readonly name: string; readonly sql: string },
): Promise<void> {
  const scan = await openScan(table.storage, snapshot, { files: filesToScan(snapshot) })
  const condition = fromSparkSql(sql)
  const [row] = await table.engine.rows(
    `SELECT count(*) AS broken FROM ${await table.engine.relation(scan)} WHERE (${condition}) IS NOT TRUE`,
  )
  if (Number(row?.broken) === 0) return
  throw new DeltaError('DELTA_CONSTRAINT_VIOLATED', `${row?.broken} rows of the table break ${name}: ${sql}`)
}

function withLocalTimes(protocol: Protocol): Protocol {
  const raised = withWriterFeature(
    { ...protocol, minWriterVersion: Math.max(protocol.minWriterVersion, 2) },
    'timestampNtz',
  )
  return {
    ...raised,
    minReaderVersion: 3,
    readerFeatures: [...(protocol.readerFeatures ?? []), 'timestampNtz'],
  }
}
