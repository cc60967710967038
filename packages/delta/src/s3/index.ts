export { DownloadCache, type DownloadCacheOptions } from './download-cache.ts'
export { RETRY_POLICY, type RetryPolicy } from './retrying.ts'
export { S3Storage, type S3StorageOptions } from './s3-storage.ts'
export { S3Store, type S3StoreOptions } from './s3-store.ts'
