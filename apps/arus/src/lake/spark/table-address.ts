import type { SparkSettings } from '../../config/spark-settings.ts'
import type { LakePlace } from '../lake-place.ts'
import type { TableName } from '../table-names.ts'

type Settings = Pick<SparkSettings, 'lakeAddress'>
type Place = Pick<LakePlace, 'location'>

/** Where a table is, as Spark opens it: a folder that its machines share, or `s3a://bucket/shop/…`. */
export function tableAddress(settings: Settings, place: Place, name: TableName): string {
  return `${lakeRoot(settings, place)}/${name.replace('.', '/')}`
}

/** Where a stream into a table keeps how far it is: beside the tables, in a folder that is none. */
export function checkpointAddress(
  settings: Settings,
  place: Place,
  { table, generation }: { readonly table: TableName; readonly generation: number },
): string {
  return `${lakeRoot(settings, place)}/_spark/${table}/${generation}`
}

function lakeRoot({ lakeAddress }: Settings, { location }: Place): string {
  return lakeAddress ?? location.replace(/^s3:/, 's3a:')
}
