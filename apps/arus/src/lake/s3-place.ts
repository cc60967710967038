import { mkdirSync } from 'node:fs'
import { DeltaError, type Storage } from '@arus/delta'
import { DownloadCache, S3Storage, S3Store } from '@arus/delta/s3'
import type { S3Settings } from '../config/s3-settings.ts'
import { ArusError } from '../errors.ts'
import type { LakePlace } from './lake-place.ts'
import type { TableName } from './table-names.ts'

export interface S3PlaceOptions {
  readonly settings: S3Settings
  /** Names the shop: the first part of every key. */
  readonly shop: string
  /** Copies of files that are read, and new files until they are in the bucket; processes of a machine share it. */
  readonly cacheFolder: string
  readonly now?: () => number
}

/** To find out whether the bucket can be used, and not how patient one can be. */
const CHECK_RETRIES = { attemptsMax: 2, delayMsFirst: 50, delayMsMax: 50 }
const CHECK_SILENCE_MS = 5_000
const DELETES_AT_ONCE = 16

/**
 * A bucket: `SHOP/bronze/events`, `SHOP/silver/products`, … Throws `ENGINE_UNREACHABLE`, or `ENGINE_UNUSABLE` where it answers
 * and cannot be used, or would lose commits.
 */
export async function openS3Place(options: S3PlaceOptions): Promise<LakePlace> {
  const place = s3Place(options)
  try {
    await place.check()
    await place.refuseCareless()
    return place
  } catch (error) {
    place.close()
    if (!(error instanceof DeltaError)) throw error
    const { code, message } = error
    throw code === 'DELTA_STORAGE_UNAVAILABLE'
      ? new ArusError('ENGINE_UNREACHABLE', `${message}. Is it running, and S3_ENDPOINT right?`, {
          cause: error,
        })
      : new ArusError('ENGINE_UNUSABLE', message, { cause: error })
  }
}

interface S3Place extends LakePlace {
  /** Throws where the store has no conditional writes. What else is wrong the first write says: one may read as yet. */
  refuseCareless(): Promise<void>
}

function s3Place({ settings, shop, cacheFolder, now = Date.now }: S3PlaceOptions): S3Place {
  const { bucket, cacheBytes, endpoint, region, accessKeyId, secretAccessKey } = settings
  const address = {
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    region,
    credentials: { accessKeyId, secretAccessKey },
  }
  const store = new S3Store(address)
  const probe = new S3Store({ ...address, retries: CHECK_RETRIES, silenceMsMax: CHECK_SILENCE_MS })
  mkdirSync(cacheFolder, { recursive: true })
  const cache = new DownloadCache({ folder: cacheFolder, sizeBytesMax: cacheBytes, now })
  const prefixOf = (name: TableName) => `${shop}/${name.replace('.', '/')}`
  const objects = (prefix: string) => store.list(bucket, prefix)
  const storageBy = (client: S3Store, name: TableName) =>
    new S3Storage({ store: client, bucket, prefix: prefixOf(name), cache, now })
  const storage = (name: TableName): Storage => storageBy(store, name)

  return {
    location: `s3://${bucket}/${shop}`,
    readableFolder: cacheFolder,
    storage,
    async remove(name) {
      const prefix = `${prefixOf(name)}/`
      const paths = (await objects(prefix)).map(({ key }) => key.slice(prefix.length))
      const isOfLog = (path: string) => path.startsWith('_delta_log/')
      // The log goes first: without it there is no table, and what is left of it is nobody's.
      await deleteAll(storage(name), paths.filter(isOfLog))
      await deleteAll(
        storage(name),
        paths.filter((path) => !isOfLog(path)),
      )
    },
    async sizeBytes() {
      return (await objects(`${shop}/`)).reduce((total, { sizeBytes }) => total + sizeBytes, 0)
    },
    async check() {
      await probe.list(bucket, `${shop}/`, { delimiter: '/' })
    },
    async refuseCareless() {
      await storageBy(probe, 'bronze.events')
        .proveConditionalWrites()
        .catch((error: unknown) => {
          if (error instanceof DeltaError && error.code === 'DELTA_STORAGE_UNSUPPORTED') throw error
        })
    },
    close() {
      probe.close()
      store.close()
    },
  }
}

async function deleteAll(storage: Storage, paths: readonly string[]): Promise<void> {
  for (let from = 0; from < paths.length; from += DELETES_AT_ONCE)
    await Promise.all(paths.slice(from, from + DELETES_AT_ONCE).map((path) => storage.delete(path)))
}
