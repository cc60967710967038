import type { SettingReader } from './setting-reader.ts'

/** The bucket the lake is kept in. */
export interface S3Settings {
  /** Address of a store that speaks S3; null: AWS's own of the region. */
  readonly endpoint: string | null
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  /** A secret. */
  readonly secretAccessKey: string
  /** What copies of its files may take on this machine's disk, bytes. */
  readonly cacheBytes: number
}

/** Null when neither a store nor a bucket is named. */
export function readS3Settings(reader: SettingReader): S3Settings | null {
  const endpoint = reader.httpAddress('S3_ENDPOINT')
  const bucket = reader.text('S3_BUCKET', '')
  if (endpoint === null && bucket === '') return null
  return {
    endpoint,
    bucket: reader.required('S3_BUCKET', 'the bucket the lake is kept in'),
    region: reader.text('AWS_REGION', 'us-east-1'),
    accessKeyId: reader.required('AWS_ACCESS_KEY_ID', 'a key of the object store'),
    secretAccessKey: reader.required('AWS_SECRET_ACCESS_KEY', 'its secret'),
    cacheBytes: reader.integer('ARUS_LAKE_CACHE_MB', 10_240, 256, 100_000_000) * 1024 * 1024,
  }
}
