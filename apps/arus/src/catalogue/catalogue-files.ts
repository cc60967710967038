import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'

/** Names within a version's folder. */
export const RECORDS_FILE = 'products.mdb'
export const INDEX_FILE = 'index.bin'

/** Grows whenever the files of a catalogue are written otherwise than before. */
export const CATALOGUE_FORMAT = 2

/** No category, in the index's column of categories. */
export const NO_CATEGORY = 0xffff

/**
 * Lines are stored in blocks of at most so many bytes (or one line): two pages of LMDB, less its header. Storing them one by
 * one costs twenty times as many writes, and half a page each.
 */
export const BLOCK_BYTES = 2 * 4096 - 16

/** Product records of a version: values are blocks of lines as in `product-record.ts`, numbered from 0. */
export type Records = RootDatabase<Buffer, number>

/** Opens the product records of a version. */
export function openRecords(versionFolder: string, access: 'read' | 'build'): Records {
  return open<Buffer, number>({
    path: join(versionFolder, RECORDS_FILE),
    keyEncoding: 'uint32',
    encoding: 'binary',
    compression: false,
    readOnly: access === 'read',
    noSubdir: true,
    noSync: access === 'build',
  })
}
