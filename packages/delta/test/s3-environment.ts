import type { S3StoreOptions } from '../src/s3/index.ts'

/** An S3 server, and a bucket on it that is there. */
export interface S3Target extends S3StoreOptions {
  readonly endpoint: string
  readonly bucket: string
}

/** The S3 server to test against, as the environment names it; null when it names none. */
export function s3FromEnvironment(): S3Target | null {
  const { env } = process
  if (env.S3_ENDPOINT === undefined) return null
  return {
    endpoint: env.S3_ENDPOINT,
    bucket: env.S3_BUCKET ?? 'arus',
    region: env.S3_REGION ?? env.AWS_REGION ?? 'us-east-1',
    credentials: {
      accessKeyId: env.S3_ACCESS_KEY ?? env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.S3_SECRET_KEY ?? env.AWS_SECRET_ACCESS_KEY ?? '',
    },
    forcePathStyle: true,
  }
}
