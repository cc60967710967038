const ISO_8601 = /^\d{4}-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?$/
/** Largest time a date can hold, ECMA-262 §21.4.1.1. */
const TIME_MAX_MS = 8.64e15

/** UTC milliseconds of a text that says them, or a time in ISO 8601 (UTC where it names no zone); null for others. */
export function momentOf(text: string): number | null {
  const ms = /^-?\d{1,16}$/.test(text) ? Number(text) : isoToMs(text)
  return Number.isFinite(ms) && Math.abs(ms) <= TIME_MAX_MS ? ms : null
}

function isoToMs(text: string): number {
  if (!ISO_8601.test(text)) return Number.NaN
  const hasZone = !text.includes('T') || /(Z|[+-]\d{2}:?\d{2})$/.test(text)
  return Date.parse(hasZone ? text : `${text}Z`)
}
