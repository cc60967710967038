import type { S3StoreOptions } from '../src/s3/index.ts'

/** An S3 server, and a bucket on it that is there. */
export interface S3Target extends S3StoreOptions {
  readonly endpoint: string
  readonly bucket: string
}

/** The S3 server that variables of the environment name. */
export function s3TargetOf(variables: Readonly<Record<string, string>>): S3Target {
  return {
    endpoint: variables.S3_ENDPOINT ?? '',
    bucket: variables.S3_BUCKET ?? '',
    region: variables.AWS_REGION ?? '',
    credentials: {
      accessKeyId: variables.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: variables.AWS_SECRET_ACCESS_KEY ?? '',
    },
    forcePathStyle: true,
  }
}
