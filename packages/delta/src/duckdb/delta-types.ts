import {
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api'
import { DeltaError } from '../errors.ts'
import { column, type DataType } from '../schema.ts'

const PRIMITIVES: ReadonlyMap<DuckDBTypeId, DataType> = new Map<DuckDBTypeId, DataType>([
  [DuckDBTypeId.BOOLEAN, 'boolean'],
  [DuckDBTypeId.TINYINT, 'byte'],
  [DuckDBTypeId.SMALLINT, 'short'],
  [DuckDBTypeId.INTEGER, 'integer'],
  [DuckDBTypeId.BIGINT, 'long'],
  [DuckDBTypeId.UTINYINT, 'short'],
  [DuckDBTypeId.USMALLINT, 'integer'],
  [DuckDBTypeId.UINTEGER, 'long'],
  [DuckDBTypeId.UBIGINT, 'decimal(20,0)'],
  [DuckDBTypeId.HUGEINT, 'decimal(38,0)'],
  [DuckDBTypeId.UHUGEINT, 'decimal(38,0)'],
  [DuckDBTypeId.FLOAT, 'float'],
  [DuckDBTypeId.DOUBLE, 'double'],
  [DuckDBTypeId.VARCHAR, 'string'],
  [DuckDBTypeId.ENUM, 'string'],
  [DuckDBTypeId.UUID, 'string'],
  [DuckDBTypeId.BLOB, 'binary'],
  [DuckDBTypeId.DATE, 'date'],
  [DuckDBTypeId.TIMESTAMP, 'timestamp_ntz'],
  [DuckDBTypeId.TIMESTAMP_S, 'timestamp_ntz'],
  [DuckDBTypeId.TIMESTAMP_MS, 'timestamp_ntz'],
  [DuckDBTypeId.TIMESTAMP_TZ, 'timestamp'],
  [DuckDBTypeId.SQLNULL, 'void'],
])

/** The Delta type whose values a DuckDB type's fit. Throws `DELTA_SCHEMA_MISMATCH` where there is none. */
export function deltaType(type: DuckDBType): DataType {
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType)
    return { type: 'array', elementType: deltaType(type.valueType), containsNull: true }
  if (type instanceof DuckDBMapType) {
    return {
      type: 'map',
      keyType: deltaType(type.keyType),
      valueType: deltaType(type.valueType),
      valueContainsNull: true,
    }
  }
  if (type instanceof DuckDBStructType) {
    return {
      type: 'struct',
      fields: type.entryNames.map((name, i) => column(name, deltaType(type.entryTypes[i] as DuckDBType))),
    }
  }
  if (type instanceof DuckDBDecimalType) return `decimal(${type.width},${type.scale})`
  const primitive = PRIMITIVES.get(type.typeId)
  if (primitive !== undefined) return primitive
  throw new DeltaError('DELTA_SCHEMA_MISMATCH', `Delta has no type for ${type}; cast the column to another`)
}
