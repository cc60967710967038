import type { DeletionVectorDescriptor } from './deletion-vector.ts'
import { DeltaError } from './errors.ts'
import { jsonObjects } from './json-objects.ts'

/** Protocol, "Change Metadata". */
export interface Metadata {
  readonly id: string
  readonly name?: string | null
  readonly description?: string | null
  readonly format: { readonly provider: string; readonly options?: Readonly<Record<string, string>> }
  /** The schema, as JSON. */
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  readonly createdTime?: number | null
}

/** Protocol, "Protocol Evolution". */
export interface Protocol {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[] | null
  readonly writerFeatures?: readonly string[] | null
}

/** Values of the partition columns by (physical) name, serialised; see `partition-values.ts`. */
export type PartitionValues = Readonly<Record<string, string | null>>

/** Protocol, "Add File". Paths are URI-encoded, relative to the table's root, or absolute URIs. */
export interface AddFile {
  readonly path: string
  readonly partitionValues: PartitionValues
  readonly size: number
  readonly modificationTime: number
  readonly dataChange: boolean
  /** `numRecords`, `minValues`, `maxValues`, `nullCount`, as JSON. */
  readonly stats?: string | null
  readonly tags?: Readonly<Record<string, string>> | null
  readonly deletionVector?: DeletionVectorDescriptor | null
  readonly baseRowId?: number | null
  readonly defaultRowCommitVersion?: number | null
  readonly clusteringProvider?: string | null
}

/** Protocol, "Remove File". */
export interface RemoveFile {
  readonly path: string
  readonly deletionTimestamp?: number | null
  readonly dataChange: boolean
  readonly extendedFileMetadata?: boolean | null
  readonly partitionValues?: PartitionValues | null
  readonly size?: number | null
  readonly tags?: Readonly<Record<string, string>> | null
  readonly deletionVector?: DeletionVectorDescriptor | null
  readonly baseRowId?: number | null
  readonly defaultRowCommitVersion?: number | null
}

/** Protocol, "Add CDC File": rows that a commit changed, for readers of the change data feed. */
export interface ChangeFile {
  readonly path: string
  readonly partitionValues: PartitionValues
  readonly size: number
  readonly dataChange: false
}

/** Protocol, "Transaction Identifiers": the last version an application has written. */
export interface SetTransaction {
  readonly appId: string
  readonly version: number
  readonly lastUpdated?: number | null
}

/** Protocol, "Domain Metadata". */
export interface DomainMetadata {
  readonly domain: string
  readonly configuration: string
  readonly removed: boolean
}

/** Protocol, "Sidecar File Information": a file of `_delta_log/_sidecars` with part of a version-2 checkpoint. */
export interface Sidecar {
  readonly path: string
  readonly sizeInBytes: number
  readonly modificationTime: number
}

/** Protocol, "Commit Provenance Information"; `txnId` tells our own commit after an unknown outcome. */
export interface CommitInfo {
  readonly timestamp?: number
  /** Protocol, "In-Commit Timestamps". */
  readonly inCommitTimestamp?: number | null
  readonly operation?: string
  readonly operationParameters?: Readonly<Record<string, unknown>>
  readonly operationMetrics?: Readonly<Record<string, string>> | null
  readonly isBlindAppend?: boolean | null
  readonly readVersion?: number | null
  readonly isolationLevel?: string | null
  readonly engineInfo?: string
  readonly txnId?: string
}

/** One line of a commit: an object with one of these. Others are ignored, as the protocol says. */
export interface Action {
  readonly metaData?: Metadata | null
  readonly protocol?: Protocol | null
  readonly add?: AddFile | null
  readonly remove?: RemoveFile | null
  readonly cdc?: ChangeFile | null
  readonly txn?: SetTransaction | null
  readonly domainMetadata?: DomainMetadata | null
  readonly commitInfo?: CommitInfo | null
  readonly sidecar?: Sidecar | null
  readonly checkpointMetadata?: { readonly version: number; readonly tags?: object | null } | null
}

/** The actions of a commit file. Throws `DELTA_LOG_CORRUPT`. */
export function parseCommit(bytes: Uint8Array, path: string): Action[] {
  const text = new TextDecoder().decode(bytes)
  const lines = isFormatted(text) ? [...jsonObjects(text)] : text.split('\n')
  const actions: Action[] = []
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue
    try {
      actions.push(checkedAction(JSON.parse(line)))
    } catch (error) {
      throw new DeltaError(
        'DELTA_LOG_CORRUPT',
        `Line ${i + 1} of ${path} is not a Delta action: ${line.slice(0, 80)}`,
        error,
      )
    }
  }
  return actions
}

/** True when objects go over lines, which is not what the protocol says, and yet what other readers take. */
function isFormatted(text: string): boolean {
  return /^\s*\{[ \t\r]*\n/.test(text)
}

/** A commit's bytes: one action a line. */
export function serializeCommit(actions: readonly Action[]): Uint8Array {
  return new TextEncoder().encode(`${actions.map((action) => JSON.stringify(action)).join('\n')}\n`)
}

/**
 * Checks what replay and reading rely on; throws a TypeError that names the field. Values of maps of text that are written as
 * JSON's own booleans and integers become text, as other readers take them.
 */
export function checkedAction(value: unknown): Action {
  if (!isObject(value)) throw new TypeError('not an object')
  const { add, remove, metaData, protocol, txn, domainMetadata, sidecar, cdc } = value as Action
  if (add) checkAdd(add)
  if (remove) checkFile(remove, 'remove')
  if (metaData) checkMetadata(metaData)
  if (protocol) checkProtocol(protocol)
  if (txn) check(typeof txn.appId === 'string' && typeof txn.version === 'number', 'txn')
  if (domainMetadata) check(typeof domainMetadata.domain === 'string', 'domainMetadata')
  if (sidecar) check(typeof sidecar.path === 'string', 'sidecar')
  if (cdc) checkFile(cdc, 'cdc')
  return value as Action
}

function check(isRight: boolean, field: string): void {
  if (!isRight) throw new TypeError(field)
}

function checkAdd(add: AddFile): void {
  checkFile(add, 'add')
  check(typeof add.size === 'number', 'add.size')
  check(isTextOrAbsent(add.stats), 'add.stats')
  // Absent where a writer had nothing to say: of tables without partitions, and in checkpoints.
  ;(add as { partitionValues: PartitionValues }).partitionValues ??= {}
}

function checkFile(file: AddFile | RemoveFile | ChangeFile, name: string): void {
  check(typeof file.path === 'string', `${name}.path`)
  makeTexts(file.partitionValues, `${name}.partitionValues`)
  if ('deletionVector' in file && file.deletionVector) checkVector(file.deletionVector, name)
}

function checkVector(vector: DeletionVectorDescriptor, name: string): void {
  const { storageType, pathOrInlineDv, offset, sizeInBytes, cardinality } = vector
  const isRight =
    typeof storageType === 'string' &&
    typeof pathOrInlineDv === 'string' &&
    [offset ?? 0, sizeInBytes, cardinality].every(Number.isSafeInteger)
  check(isRight, `${name}.deletionVector`)
}

function checkMetadata(metadata: Metadata): void {
  check(isObject(metadata) && isTextOrAbsent(metadata.schemaString), 'metaData')
  check(isTextsOrAbsent(metadata.partitionColumns), 'metaData.partitionColumns')
  makeTexts(metadata.configuration, 'metaData.configuration')
}

function checkProtocol({ minReaderVersion, readerFeatures, writerFeatures }: Protocol): void {
  check(typeof minReaderVersion === 'number', 'protocol')
  check(isTextsOrAbsent(readerFeatures) && isTextsOrAbsent(writerFeatures), 'protocol.features')
}

/** The values of a map of text. */
function makeTexts(map: Readonly<Record<string, unknown>> | null | undefined, field: string): void {
  if (map === undefined || map === null) return
  check(isObject(map), field)
  for (const key in map) {
    const value = map[key]
    if (typeof value === 'string' || value === null) continue
    // A fraction may have been written with other digits than its number has.
    check(typeof value === 'boolean' || Number.isSafeInteger(value), field)
    ;(map as Record<string, unknown>)[key] = String(value)
  }
}

function isTextsOrAbsent(value: unknown): boolean {
  return (value ?? null) === null || (Array.isArray(value) && value.every((one) => typeof one === 'string'))
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string'
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
