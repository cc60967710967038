import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalStorage, type Storage } from '@arus/delta'
import { folderSizeBytes } from '../operations/storage-sizes.ts'
import type { TableName } from './table-names.ts'

/** Where the lake's tables are. */
export interface LakePlace {
  /** For people: a folder, or `s3://bucket/prefix`. */
  readonly location: string
  /** The one folder of this machine in which every file stands that a query reads: the lake itself, or copies from it. */
  readonly readableFolder: string
  storage(name: TableName): Storage
  /** Removes a table with its history. */
  remove(name: TableName): Promise<void>
  /** What all tables take, older versions included, bytes. */
  sizeBytes(): Promise<number>
  /** One request: throws what is wrong, in words of what to do, when tables cannot be read there. */
  check(): Promise<void>
  close(): void
}

/** A local folder: `bronze/events`, `silver/products`, … */
export function folderPlace(root: string, now: () => number = Date.now): LakePlace {
  const folderOf = (name: TableName) => join(root, ...name.split('.'))
  return {
    location: root,
    readableFolder: root,
    storage: (name) => new LocalStorage(folderOf(name), { now }),
    remove: (name) => rm(folderOf(name), { recursive: true, force: true }),
    sizeBytes: () => folderSizeBytes(root),
    async check() {
      await mkdir(root, { recursive: true })
      await readdir(root)
    },
    close: () => {},
  }
}
