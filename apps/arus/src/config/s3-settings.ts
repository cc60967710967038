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
