import type { SparkSettings } from '../../config/spark-settings.ts'
import type { LakePlace } from '../lake-place.ts'
import type { TableName } from '../table-names.ts'

/** Where a table is, as Spark opens it: a folder that its machines share, or `s3a://bucket/shop/…`. */
export function tableAddress(
  { lakeAddress }: Pick<SparkSettings, 'lakeAddress'>,
  { location }: Pick<LakePlace, 'location'>,
  name: TableName,
): string {
  const root = lakeAddress ?? location.replace(/^s3:/, 's3a:')
  return `${root}/${name.replace('.', '/')}`
}
