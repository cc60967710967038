import type { Action, AddFile, Metadata, Protocol, RemoveFile, SetTransaction } from './actions.ts'
import { DeltaError } from './errors.ts'
import { parseSchema, type StructType } from './schema.ts'

/** Reader features this version can honour. */
const READER_FEATURES: ReadonlySet<string> = new Set(['timestampNtz', 'vacuumProtocolCheck'])
/** Writer features this version can honour when it appends and overwrites. */
const WRITER_FEATURES: ReadonlySet<string> = new Set(['appendOnly', 'timestampNtz', 'vacuumProtocolCheck'])

/** A table at one version: immutable. */
export interface Snapshot {
  readonly version: number
  /** Time of its commit, UTC ms. */
  readonly timestampMs: number
  readonly protocol: Protocol
  readonly metadata: Metadata
  readonly schema: StructType
  readonly partitionColumns: readonly string[]
  /** Files of the table by path. */
  readonly files: ReadonlyMap<string, AddFile>
  /** Files removed, still needed by readers of older versions. */
  readonly tombstones: ReadonlyMap<string, RemoveFile>
  /** Last version each application has written. */
  readonly transactions: ReadonlyMap<string, SetTransaction>
}

/** What replay has seen so far; a builder that belongs to one replay. */
export class SnapshotBuilder {
  readonly #files: Map<string, AddFile>
  readonly #tombstones: Map<string, RemoveFile>
  readonly #transactions: Map<string, SetTransaction>
  #protocol: Protocol | undefined
  #metadata: Metadata | undefined

  /** Goes on from `base`, or from nothing. */
  constructor(base?: Snapshot) {
    this.#files = new Map(base?.files)
    this.#tombstones = new Map(base?.tombstones)
    this.#transactions = new Map(base?.transactions)
    this.#protocol = base?.protocol
    this.#metadata = base?.metadata
  }

  /** Protocol, "Action Reconciliation": actions in order of versions; within a commit their order does not matter. */
  apply(actions: readonly Action[]): void {
    for (const { remove } of actions) {
      if (!remove) continue
      refuseDeletionVector(remove)
      this.#files.delete(remove.path)
      this.#tombstones.set(remove.path, remove)
    }
    for (const { add, txn, protocol, metaData } of actions) {
      if (add) {
        refuseDeletionVector(add)
        this.#files.set(add.path, add)
        this.#tombstones.delete(add.path)
      }
      if (txn) this.#transactions.set(txn.appId, txn)
      if (protocol) this.#protocol = protocol
      if (metaData) this.#metadata = metaData
    }
  }

  /** Throws `DELTA_LOG_CORRUPT` without protocol or metadata, `DELTA_FEATURE_UNSUPPORTED` for what cannot be read. */
  build(version: number, timestampMs: number): Snapshot {
    const protocol = this.#protocol
    const metadata = this.#metadata
    if (protocol === undefined || metadata === undefined) {
      throw new DeltaError(
        'DELTA_LOG_CORRUPT',
        `The log has no ${protocol ? 'metaData' : 'protocol'} action up to version ${version}`,
      )
    }
    assertReadable(protocol, metadata)
    return {
      version,
      timestampMs,
      protocol,
      metadata,
      schema: parseSchema(metadata.schemaString),
      partitionColumns: metadata.partitionColumns ?? [],
      files: this.#files,
      tombstones: this.#tombstones,
      transactions: this.#transactions,
    }
  }
}

/** Throws `DELTA_FEATURE_UNSUPPORTED` naming what a writer would have to honour. */
export function assertWritable({ protocol, metadata }: Snapshot): void {
  const { minWriterVersion, writerFeatures } = protocol
  const unknown = (writerFeatures ?? []).filter((feature) => !WRITER_FEATURES.has(feature))
  if (minWriterVersion > 7 || unknown.length > 0) {
    throw unsupported(`writer version ${minWriterVersion}`, unknown)
  }
  if (minWriterVersion < 7 && minWriterVersion > 2)
    throw unsupported(`writer version ${minWriterVersion}`, [])
  const constrained = /"delta\.(invariants|generationExpression|identity\.)/.test(metadata.schemaString)
  if (constrained) throw unsupported('columns with invariants, generated or identity values', [])
}

function assertReadable(protocol: Protocol, metadata: Metadata): void {
  const unknown = (protocol.readerFeatures ?? []).filter((feature) => !READER_FEATURES.has(feature))
  if (unknown.length > 0 || protocol.minReaderVersion > 3)
    throw unsupported(`reader version ${protocol.minReaderVersion}`, unknown)
  const mapping = metadata.configuration?.['delta.columnMapping.mode'] ?? 'none'
  if (mapping !== 'none') throw unsupported(`column mapping by ${mapping}`, ['columnMapping'])
}

function refuseDeletionVector(file: AddFile | RemoveFile): void {
  if (file.deletionVector) throw unsupported('a file with a deletion vector', ['deletionVectors'])
}

function unsupported(what: string, features: readonly string[]): DeltaError {
  const names = features.length > 0 ? ` (features: ${features.join(', ')})` : ''
  return new DeltaError(
    'DELTA_FEATURE_UNSUPPORTED',
    `The table needs ${what}${names}, which is not supported yet`,
  )
}
