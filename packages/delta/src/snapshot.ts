import type {
  Action,
  AddFile,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
  SetTransaction,
} from './actions.ts'
import { type DeletionVectorDescriptor, deletionVectorId } from './deletion-vector.ts'
import { DeltaError } from './errors.ts'
import { canonicalPath } from './log-paths.ts'
import { parseSchema, type StructType } from './schema.ts'
import { assertReadable } from './table-features.ts'

/** A table at one version: immutable. */
export interface Snapshot {
  readonly version: number
  /** Time of its commit, UTC ms. */
  readonly timestampMs: number
  readonly protocol: Protocol
  readonly metadata: Metadata
  readonly schema: StructType
  readonly partitionColumns: readonly string[]
  /** Files of the table, by `fileKey`. */
  readonly files: ReadonlyMap<string, AddFile>
  /** Files removed, still needed by readers of older versions, by `fileKey`. */
  readonly tombstones: ReadonlyMap<string, RemoveFile>
  /** Last version each application has written. */
  readonly transactions: ReadonlyMap<string, SetTransaction>
  readonly domains: ReadonlyMap<string, DomainMetadata>
}

/** What makes a file of a table one (Protocol, "Add File and Remove File"): its path and its deletion vector. */
export function fileKey(file: {
  readonly path: string
  readonly deletionVector?: DeletionVectorDescriptor | null
}): string {
  const vector = deletionVectorId(file.deletionVector)
  return vector === '' ? canonicalPath(file.path) : `${canonicalPath(file.path)}|${vector}`
}

const EMPTY_SCHEMA = '{"type":"struct","fields":[]}'

/** What replay has seen so far; a builder that belongs to one replay. */
export class SnapshotBuilder {
  readonly #files: Map<string, AddFile>
  readonly #tombstones: Map<string, RemoveFile>
  readonly #transactions: Map<string, SetTransaction>
  readonly #domains: Map<string, DomainMetadata>
  #protocol: Protocol | undefined
  #metadata: Metadata | undefined
  #schema: StructType | undefined

  /** Goes on from `base`, or from nothing. */
  constructor(base?: Snapshot) {
    this.#files = new Map(base?.files)
    this.#tombstones = new Map(base?.tombstones)
    this.#transactions = new Map(base?.transactions)
    this.#domains = new Map(base?.domains)
    this.#protocol = base?.protocol
    this.#metadata = base?.metadata
    this.#schema = base?.schema
  }

  /** Protocol, "Action Reconciliation": actions in order of versions; within a commit their order does not matter. */
  apply(actions: readonly Action[]): void {
    for (const { remove } of actions) {
      if (!remove) continue
      const key = fileKey(remove)
      this.#files.delete(key)
      this.#tombstones.set(key, remove)
    }
    for (const { add, txn, protocol, metaData, domainMetadata } of actions) {
      if (add) this.addFile(add)
      if (txn) this.#transactions.set(txn.appId, txn)
      if (protocol) this.#protocol = protocol
      if (metaData) this.#setMetadata(metaData)
      if (domainMetadata?.removed) this.#domains.delete(domainMetadata.domain)
      else if (domainMetadata) this.#domains.set(domainMetadata.domain, domainMetadata)
    }
  }

  addFile(add: AddFile): void {
    const key = fileKey(add)
    this.#files.set(key, add)
    this.#tombstones.delete(key)
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
    this.#schema ??= parseSchema(metadata.schemaString)
    return {
      version,
      timestampMs,
      protocol,
      metadata,
      schema: this.#schema,
      partitionColumns: metadata.partitionColumns ?? [],
      files: this.#files,
      tombstones: this.#tombstones,
      transactions: this.#transactions,
      domains: this.#domains,
    }
  }

  #setMetadata(metadata: Metadata): void {
    if (metadata.schemaString !== this.#metadata?.schemaString) this.#schema = undefined
    // Tables without columns, as a pipeline makes before its first run, may have no schema.
    const schemaString = metadata.schemaString ?? EMPTY_SCHEMA
    this.#metadata = { ...metadata, schemaString, configuration: metadata.configuration ?? {} }
  }
}
