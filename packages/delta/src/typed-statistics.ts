import type { SchemaElement, TimeUnit } from 'hyparquet'

/**
 * A value of `stats_parsed` as Parquet has it, as `JSON.stringify` puts it into `stats` (Protocol, "Per-file Statistics"):
 * whole numbers and decimals with all their digits, times cut to milliseconds. Null for what `stats` has no form for.
 */
export function typedStatistic(value: unknown, element: SchemaElement): unknown {
  const { logical_type: logical, converted_type: converted, type } = element
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') return decimal(value, element.scale ?? 0)
  if (converted === 'DATE' || logical?.type === 'DATE') return isoText(Number(value) * DAY_MS, DATE_LENGTH)
  if (type === 'INT96') return time(nanosOf(value as bigint), { unit: 'NANOS' })
  if (logical?.type === 'TIMESTAMP') return time(value as bigint, logical)
  if (converted === 'TIMESTAMP_MICROS') return time(value as bigint, { unit: 'MICROS' })
  if (converted === 'TIMESTAMP_MILLIS') return time(value as bigint, { unit: 'MILLIS' })
  if (typeof value === 'bigint') return rawJSON(String(value))
  return value instanceof Uint8Array ? null : value
}

const DAY_MS = 86_400_000
const PER_MS: Readonly<Record<TimeUnit, bigint>> = { MILLIS: 1n, MICROS: 1_000n, NANOS: 1_000_000n }
const DATE_LENGTH = 10
const LOCAL_LENGTH = 23

/** Julian day of 1970-01-01 (Parquet, `INT96`: the day above 64 bits of nanoseconds within it). */
const EPOCH_DAY = 2_440_588n

/** A number that `JSON.stringify` takes over as it stands (ECMAScript proposal "JSON.parse source text access", since Node 22). */
const { rawJSON = exactNumber } = JSON as { readonly rawJSON?: (json: string) => unknown }

/** In Node 20: a number that loses no digits, else null, since a file must not be left out by a bound that is not exact. */
export function exactNumber(json: string): number | null {
  return json.replace(/\D/g, '').length <= DOUBLE_DIGITS ? Number(json) : null
}

/** Decimal digits that every double keeps. */
const DOUBLE_DIGITS = 15

function nanosOf(int96: bigint): bigint {
  return ((int96 >> 64n) - EPOCH_DAY) * BigInt(DAY_MS) * PER_MS.NANOS + BigInt.asUintN(64, int96)
}

function time(
  value: bigint,
  { unit, isAdjustedToUTC = true }: { readonly unit: TimeUnit; readonly isAdjustedToUTC?: boolean },
): string | null {
  const per = PER_MS[unit]
  // Rounded down, before 1970 too.
  const ms = (value - (((value % per) + per) % per)) / per
  return isoText(Number(ms), isAdjustedToUTC ? undefined : LOCAL_LENGTH)
}

/** Null for years of more than four digits, which ISO 8601 writes in a way that others do not read. */
function isoText(ms: number, length?: number): string | null {
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  return year >= 0 && year <= 9_999 ? date.toISOString().slice(0, length) : null
}

function decimal(value: unknown, scale: number): unknown {
  const unscaled = value instanceof Uint8Array ? signedOf(value) : BigInt(value as bigint | number)
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  const fraction = scale === 0 ? '' : `.${digits.slice(point)}`
  return rawJSON(`${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${fraction}`)
}

/** The whole number whose two's complement it is, highest byte first. */
function signedOf(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes).toString('hex')
  return hex === '' ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}
