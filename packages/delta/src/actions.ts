import { DeltaError } from './errors.ts'

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

/** Protocol, "Add File". Paths are URI-encoded, relative to the table's root. */
export interface AddFile {
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  readonly modificationTime: number
  readonly dataChange: boolean
  /** `numRecords`, `minValues`, `maxValues`, `nullCount`, as JSON. */
  readonly stats?: string | null
  readonly tags?: Readonly<Record<string, string>> | null
  readonly deletionVector?: object | null
}

/** Protocol, "Remove File". */
export interface RemoveFile {
  readonly path: string
  readonly deletionTimestamp?: number | null
  readonly dataChange: boolean
  readonly extendedFileMetadata?: boolean | null
  readonly partitionValues?: Readonly<Record<string, string | null>> | null
  readonly size?: number | null
  readonly deletionVector?: object | null
}

/** Protocol, "Transaction Identifiers": the last version an application has written. */
export interface SetTransaction {
  readonly appId: string
  readonly version: number
  readonly lastUpdated?: number | null
}

/** Protocol, "Commit Provenance Information"; `txnId` tells our own commit after an unknown outcome. */
export interface CommitInfo {
  readonly timestamp?: number
  readonly operation?: string
  readonly operationParameters?: Readonly<Record<string, unknown>>
  readonly isBlindAppend?: boolean
  readonly engineInfo?: string
  readonly txnId?: string
}

/** One line of a commit: an object with one of these. */
export interface Action {
  readonly metaData?: Metadata | null
  readonly protocol?: Protocol | null
  readonly add?: AddFile | null
  readonly remove?: RemoveFile | null
  readonly txn?: SetTransaction | null
  readonly commitInfo?: CommitInfo | null
}

/** The actions of a commit file. Throws `DELTA_LOG_CORRUPT`. */
export function parseCommit(bytes: Uint8Array, path: string): Action[] {
  return new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      try {
        return checkedAction(JSON.parse(line))
      } catch (error) {
        throw new DeltaError(
          'DELTA_LOG_CORRUPT',
          `Line ${i + 1} of ${path} is not a Delta action: ${line.slice(0, 80)}`,
          error,
        )
      }
    })
}

export function serializeCommit(actions: readonly Action[]): Uint8Array {
  return new TextEncoder().encode(`${actions.map((action) => JSON.stringify(action)).join('\n')}\n`)
}

/** Checks what log replay relies on; unknown actions pass, since the protocol says to ignore them. */
export function checkedAction(value: unknown): Action {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('not an object')
  const action = value as Action
  if (action.add && (typeof action.add.path !== 'string' || typeof action.add.size !== 'number'))
    throw new TypeError('add')
  if (action.remove && typeof action.remove.path !== 'string') throw new TypeError('remove')
  if (action.metaData && typeof action.metaData.schemaString !== 'string') throw new TypeError('metaData')
  if (action.protocol && typeof action.protocol.minReaderVersion !== 'number') throw new TypeError('protocol')
  if (action.txn && typeof action.txn.appId !== 'string') throw new TypeError('txn')
  return action
}
