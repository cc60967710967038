import { expect, test } from 'vitest'
import type { Action, AddFile } from '../src/actions.ts'
import { type CommitRequest, changeOf } from '../src/commit.ts'
import { type ConflictReason, conflictWith, type IsolationLevel } from '../src/conflict.ts'

const file = (path: string): AddFile => ({
  path,
  partitionValues: {},
  size: 1,
  modificationTime: 0,
  dataChange: true,
})
const append = (isBlindAppend: boolean): Action[] => [{ commitInfo: { isBlindAppend } }, { add: file('new') }]
const remove = (path: string): Action[] => [{ remove: { path, dataChange: true } }]
const METADATA: Action[] = [
  {
    metaData: {
      id: 'i',
      format: { provider: 'parquet' },
      schemaString: '{}',
      partitionColumns: [],
      configuration: {},
    },
  },
]
const PROTOCOL: Action[] = [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }]

const base = { operation: 'WRITE', add: [] }
const BLIND: CommitRequest = base
const READ_ALL: CommitRequest = { ...base, readVersion: 1 }
const READ_A: CommitRequest = { ...base, readVersion: 1, reads: { files: [file('a')] } }
const REWRITE_A: CommitRequest = {
  ...base,
  readVersion: 1,
  remove: [file('a')],
  reads: { files: [file('a')], wouldRead: () => false },
}
const COMPACT_A: CommitRequest = { ...REWRITE_A, isRearrangement: true, reads: { files: [file('a')] } }

/** The table of the protocol's rules, row by row: winner, loser, level → why the loser must not follow. */
test.each<
  [name: string, winner: Action[], loser: CommitRequest, level: IsolationLevel, reason: ConflictReason | null]
>([
  ['blind append after an append', append(true), BLIND, 'Serializable', null],
  ['blind append after a delete', remove('a'), BLIND, 'Serializable', null],
  ['blind append after a change of the schema', METADATA, BLIND, 'Serializable', 'metadata-changed'],
  ['blind append after a change of the protocol', PROTOCOL, BLIND, 'Serializable', null],
  ['reader after a change of the protocol', PROTOCOL, READ_ALL, 'Serializable', 'protocol-changed'],
  ['reader of all after a blind append', append(true), READ_ALL, 'Serializable', 'concurrent-append'],
  ['reader of all after a blind append', append(true), READ_ALL, 'WriteSerializable', null],
  [
    'reader of all after an append that read',
    append(false),
    READ_ALL,
    'WriteSerializable',
    'concurrent-append',
  ],
  [
    'reader after a delete of what it read',
    remove('a'),
    READ_A,
    'WriteSerializable',
    'concurrent-delete-read',
  ],
  ['reader after a delete of something else', remove('b'), READ_A, 'Serializable', null],
  [
    'writer after a delete of what it removes',
    remove('a'),
    REWRITE_A,
    'WriteSerializable',
    'concurrent-delete-delete',
  ],
  ['writer that would not have read the new file', append(false), REWRITE_A, 'Serializable', null],
  ['compaction after an append', append(false), COMPACT_A, 'Serializable', null],
  [
    'compaction after a delete of its file',
    remove('a'),
    COMPACT_A,
    'Serializable',
    'concurrent-delete-delete',
  ],
  [
    'change of properties after another',
    METADATA,
    { ...READ_A, metadata: METADATA[0]?.metaData as NonNullable<Action['metaData']> },
    'WriteSerializable',
    'metadata-changed',
  ],
])('%s (%#)', (_, winner, loser, level, reason) => {
  expect(conflictWith(winner, changeOf(loser), level)).toBe(reason)
})

test('the same file with another deletion vector is another file', () => {
  const deletionVector = { storageType: 'i', pathOrInlineDv: 'x', sizeInBytes: 1, cardinality: 1 }
  const winner: Action[] = [{ remove: { path: 'a', dataChange: true, deletionVector } }]
  expect(conflictWith(winner, changeOf(READ_A), 'Serializable')).toBeNull()
})
