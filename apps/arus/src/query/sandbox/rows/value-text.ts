import {
  type DuckDBArrayType,
  type DuckDBListType,
  type DuckDBMapType,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api'

/**
 * SQL for the text of a value in JSON, the same value as `jsonValue` gives; NULL stays NULL. `value` is an expression, which may stand in
 * the text several times.
 */
export function jsonText(type: DuckDBType, value: string): string {
  return textOf(type, value, 0)
}

/** SQL for a cell of CSV, quoted where it must be. Texts are as they are, everything else as in JSON but unquoted. */
export function csvText(type: DuckDBType, value: string): string {
  if (isNested(type)) return csvCellSql(textOf(type, value, 0))
  const plain = plainText(type, value)
  return plain === null ? csvCellSql(`${value}::VARCHAR`) : plain.text
}

/** How many lists, structs and maps are around the innermost value of a type. */
export function nestingOf(type: DuckDBType): number {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return 1 + nestingOf((type as DuckDBListType | DuckDBArrayType).valueType)
    case DuckDBTypeId.STRUCT:
      return 1 + Math.max(0, ...(type as DuckDBStructType).entryTypes.map(nestingOf))
    case DuckDBTypeId.MAP:
      return (
        1 + Math.max(nestingOf((type as DuckDBMapType).keyType), nestingOf((type as DuckDBMapType).valueType))
      )
    default:
      return 0
  }
}

/** A cell of CSV, quoted where it must be. */
export function csvCell(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** As `csvCell`. Four searches for a character cost less than a pattern. */
function csvCellSql(text: string): string {
  const special = [`'"'`, `','`, 'chr(10)', 'chr(13)']
    .map((sign) => `contains(${text}, ${sign})`)
    .join(' OR ')
  return `CASE WHEN ${text} = '' OR ${special} THEN concat('"', replace(${text}, '"', '""'), '"') ELSE ${text} END`
}

function textOf(type: DuckDBType, value: string, depth: number): string {
  if (isNested(type)) return nestedText(type, value, depth)
  const plain = plainText(type, value)
  if (plain === null) return `to_json(${value}::VARCHAR)::VARCHAR`
  return plain.isQuoted === null
    ? plain.text
    : `CASE WHEN ${plain.isQuoted} THEN concat('"', ${plain.text}, '"') ELSE ${plain.text} END`
}

interface PlainText {
  /** Without quotes; nothing in it must be escaped. */
  readonly text: string
  /** SQL that tells whether JSON has it in quotes; null for never. */
  readonly isQuoted: string | null
}

/** Numbers, truth, days and instants; null for all other types. */
function plainText({ typeId }: DuckDBType, value: string): PlainText | null {
  switch (typeId) {
    case DuckDBTypeId.BOOLEAN:
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
      return { text: `${value}::VARCHAR`, isQuoted: null }
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
    case DuckDBTypeId.BIGNUM:
      return { text: `${value}::VARCHAR`, isQuoted: beyondDoubles(typeId, value) }
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DECIMAL:
      return { text: doubleText(`${value}::DOUBLE`), isQuoted: null }
    case DuckDBTypeId.DOUBLE:
      return { text: doubleText(value), isQuoted: null }
    case DuckDBTypeId.DATE:
      return {
        text: `CASE WHEN isfinite(${value}) THEN ${value}::VARCHAR END`,
        isQuoted: `isfinite(${value})`,
      }
    case DuckDBTypeId.TIMESTAMP:
      return { text: instantText(value), isQuoted: `isfinite(${value})` }
    case DuckDBTypeId.TIMESTAMP_TZ:
      return {
        text: instantText(`make_timestamp(epoch_us(${value}))`),
        isQuoted: `isfinite(${value})`,
      }
    default:
      return null
  }
}

/** True where a double would not hold every digit. */
function beyondDoubles(typeId: DuckDBTypeId, value: string): string {
  const most = `${Number.MAX_SAFE_INTEGER}::${DuckDBTypeId[typeId]}`
  const isSigned = typeId !== DuckDBTypeId.UBIGINT && typeId !== DuckDBTypeId.UHUGEINT
  return isSigned ? `${value} > ${most} OR ${value} < -${most}` : `${value} > ${most}`
}

/**
 * A double as ECMAScript writes it (Number::toString); NULL for what JSON has no number for. DuckDB finds the same shortest
 * digits, but writes 1 as 1.0, and begins and writes exponents elsewhere.
 */
function doubleText(value: string): string {
  const size = `abs(${value})`
  return `CASE WHEN isfinite(${value}) IS NOT TRUE THEN NULL
    WHEN ${size} < 1e16 AND ${value} = trunc(${value}) THEN ${value}::BIGINT::VARCHAR
    WHEN ${size} >= 1e-4 AND ${size} < 1e16 THEN ${value}::VARCHAR
    WHEN ${size} >= 1e21 OR ${size} < 1e-6 THEN replace(${value}::VARCHAR, 'e-0', 'e-')
    ELSE ${exponentWrittenOut(value)} END`
}

/** `1.25e+17` as `125000000000000000`, `1.25e-05` as `0.0000125`. */
function exponentWrittenOut(value: string): string {
  const sign = `CASE WHEN ${value} < 0 THEN '-' ELSE '' END`
  const digits = `replace(split_part(abs(${value})::VARCHAR, 'e', 1), '.', '')`
  const exponent = `split_part(${value}::VARCHAR, 'e', 2)::INTEGER`
  return `concat(${sign}, CASE WHEN ${exponent} > 0 THEN rpad(${digits}, ${exponent} + 1, '0')
    ELSE concat('0.', repeat('0', -${exponent} - 1), ${digits}) END)`
}

/** A TIMESTAMP as `Date.prototype.toISOString` writes it, also beyond the years that has; NULL for infinities. */
function instantText(value: string): string {
  const time = "%m-%dT%H:%M:%S.%gZ'"
  return `CASE WHEN isfinite(${value}) IS NOT TRUE THEN NULL
    WHEN ${value} >= TIMESTAMP '0001-01-01' AND ${value} < TIMESTAMP '10000-01-01' THEN strftime(${value}, '%Y-${time})
    ELSE concat(CASE WHEN year(${value}) > 0 THEN '+' || lpad(year(${value})::VARCHAR, 6, '0')
      WHEN year(${value}) = 0 THEN '0000' ELSE '-' || lpad(abs(year(${value}))::VARCHAR, 6, '0') END, strftime(${value}, '-${time})) END`
}

function isNested({ typeId }: DuckDBType): boolean {
  return (
    typeId === DuckDBTypeId.LIST ||
    typeId === DuckDBTypeId.ARRAY ||
    typeId === DuckDBTypeId.STRUCT ||
    typeId === DuckDBTypeId.MAP
  )
}

function nestedText(type: DuckDBType, value: string, depth: number): string {
  switch (type.typeId) {
    case DuckDBTypeId.STRUCT:
      return structText(type as DuckDBStructType, value, depth)
    case DuckDBTypeId.MAP:
      return mapText(type as DuckDBMapType, value, depth)
    default:
      return itemsText(value, depth, (item) =>
        textOf((type as DuckDBListType | DuckDBArrayType).valueType, item, depth + 1),
      )
  }
}

function structText({ entryNames, entryTypes }: DuckDBStructType, value: string, depth: number): string {
  const fields = entryTypes.map((type, i) => {
    const text = textOf(type, `struct_extract_at(${value}, ${i + 1})`, depth)
    return `${quoted(`${i === 0 ? '{' : ','}${JSON.stringify(entryNames[i] ?? '')}:`)}, coalesce(${text}, 'null')`
  })
  return `CASE WHEN ${value} IS NOT NULL THEN concat(${fields.join(', ')}, '}') END`
}

/** Entries as pairs, since keys need not be texts. */
function mapText({ keyType, valueType }: DuckDBMapType, value: string, depth: number): string {
  return itemsText(`map_entries(${value})`, depth, (entry) => {
    const [key, item] = [keyType, valueType].map((type, i) =>
      textOf(type, `struct_extract_at(${entry}, ${i + 1})`, depth + 1),
    )
    return `concat('[', coalesce(${key}, 'null'), ',', coalesce(${item}, 'null'), ']')`
  })
}

function itemsText(list: string, depth: number, textOfItem: (item: string) => string): string {
  const item = `x${depth}`
  const texts = `list_transform(${list}, lambda ${item}: coalesce(${textOfItem(item)}, 'null'))`
  return `CASE WHEN ${list} IS NOT NULL THEN concat('[', array_to_string(${texts}, ','), ']') END`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
