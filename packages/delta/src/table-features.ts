import type { Metadata, Protocol } from './actions.ts'
import { columnMappingMode } from './column-mapping.ts'
import { DeltaError, unsupported } from './errors.ts'
import type { DataType, StructField, StructType } from './schema.ts'

/** Reader features honoured. Protocol, "Table Features". */
const READER_FEATURES: ReadonlySet<string> = new Set([
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'typeWidening',
  'typeWidening-preview',
  'v2Checkpoint',
  'vacuumProtocolCheck',
  'variantType',
  'variantType-preview',
  'variantShredding',
  'variantShredding-preview',
])

/** Features honoured when writing. Those with a condition in `assertWritable` only while the table does not use them. */
const WRITER_FEATURES: ReadonlySet<string> = new Set([
  ...READER_FEATURES,
  'allowColumnDefaults',
  'appendOnly',
  'changeDataFeed',
  'checkConstraints',
  'domainMetadata',
  'generatedColumns',
  'identityColumns',
  'inCommitTimestamp',
  'invariants',
])

/** Throws `DELTA_FEATURE_UNSUPPORTED` naming what a reader would have to honour, `DELTA_LOG_CORRUPT` for a protocol at odds with itself. */
export function assertReadable(protocol: Protocol, metadata: Metadata): void {
  const { minReaderVersion } = protocol
  const features = protocol.readerFeatures ?? []
  const unknown = features.filter((feature) => !READER_FEATURES.has(feature))
  if (minReaderVersion > 3 || unknown.length > 0)
    throw unsupported(`reader version ${minReaderVersion}`, unknown)
  if (minReaderVersion < 3 && features.length > 0) {
    throw new DeltaError(
      'DELTA_LOG_CORRUPT',
      `The protocol lists reader features (${features.join(', ')}) but needs only reader version ${minReaderVersion}`,
    )
  }
  if (metadata.format?.provider !== undefined && metadata.format.provider !== 'parquet')
    throw unsupported(`data files of format ${metadata.format.provider}`)
  columnMappingMode(metadata)
}

/** Throws `DELTA_FEATURE_UNSUPPORTED` naming what a writer would have to honour. */
export function assertWritable(table: {
  readonly protocol: Protocol
  readonly metadata: Metadata
  readonly schema: StructType
}): void {
  const { minWriterVersion, writerFeatures } = table.protocol
  const unknown = (writerFeatures ?? []).filter((feature) => !WRITER_FEATURES.has(feature))
  if (minWriterVersion > 7 || unknown.length > 0)
    throw unsupported(`writer version ${minWriterVersion}`, unknown)
  for (const field of fieldsOf(table.schema)) {
    if (field.type === 'variant') throw unsupported(`a variant column (${field.name})`, ['variantType'])
    if ('delta.generationExpression' in field.metadata)
      throw unsupported(`a generated column (${field.name})`, ['generatedColumns'])
    if ('delta.identity.start' in field.metadata)
      throw unsupported(`an identity column (${field.name})`, ['identityColumns'])
  }
}

/** True when a table of this protocol may use a writer feature: by name, or by its legacy writer version. */
export function supportsFeature(
  { minWriterVersion, writerFeatures }: Protocol,
  feature: keyof typeof LEGACY_VERSION | string,
): boolean {
  if (minWriterVersion >= 7) return writerFeatures?.includes(feature) ?? false
  return minWriterVersion >= (LEGACY_VERSION[feature] ?? Number.POSITIVE_INFINITY)
}

/** Writer versions that brought features before there were names for them. Protocol, "Writer Version Requirements". */
const LEGACY_VERSION: Readonly<Record<string, number>> = {
  appendOnly: 2,
  invariants: 2,
  checkConstraints: 3,
  changeDataFeed: 4,
  generatedColumns: 4,
  columnMapping: 5,
  identityColumns: 6,
}

/** The protocol with a writer feature more: by raising the legacy version where that suffices, else by its name. */
export function withWriterFeature(protocol: Protocol, feature: string): Protocol {
  if (supportsFeature(protocol, feature)) return protocol
  const legacy = LEGACY_VERSION[feature]
  if (protocol.minWriterVersion < 7 && legacy !== undefined) {
    return { ...protocol, minWriterVersion: Math.max(protocol.minWriterVersion, legacy) }
  }
  const known = protocol.writerFeatures ?? legacyFeatures(protocol.minWriterVersion)
  return { ...protocol, minWriterVersion: 7, writerFeatures: [...known, feature] }
}

/** A table's boolean property. */
export function isEnabled(metadata: Metadata, property: string): boolean {
  return metadata.configuration?.[property]?.toLowerCase() === 'true'
}

/** The type itself and those within it, outermost first. */
export function* typesIn(type: DataType): Generator<DataType> {
  yield type
  if (typeof type === 'string') return
  switch (type.type) {
    case 'struct':
      for (const field of type.fields) yield* typesIn(field.type)
      return
    case 'array':
      yield* typesIn(type.elementType)
      return
    case 'map':
      yield* typesIn(type.keyType)
      yield* typesIn(type.valueType)
  }
}

/** Columns and fields within them, outermost first. */
export function* fieldsOf(type: DataType): Generator<StructField> {
  if (typeof type === 'string') return
  switch (type.type) {
    case 'struct':
      for (const field of type.fields) {
        yield field
        yield* fieldsOf(field.type)
      }
      return
    case 'array':
      yield* fieldsOf(type.elementType)
      return
    case 'map':
      yield* fieldsOf(type.keyType)
      yield* fieldsOf(type.valueType)
  }
}

function legacyFeatures(minWriterVersion: number): string[] {
  return Object.entries(LEGACY_VERSION)
    .filter(([, version]) => version <= minWriterVersion)
    .map(([feature]) => feature)
}
