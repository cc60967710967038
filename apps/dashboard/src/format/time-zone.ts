import type { Heatmap } from 'arus/api'

type Cell = Heatmap['cells'][number]

const HOURS_PER_WEEK = 168

/** Hours by which a zone's clock is ahead of UTC at a moment; null where that is not a whole number. */
export function hoursAheadOfUtc(timeZone: string, atMs: number): number | null {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(atMs)
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const found = /^GMT(?:([+-])(\d{2}):(\d{2}))?$/.exec(name)
  if (found === null) return null
  const [, sign = '+', hours = '0', minutes = '0'] = found
  if (Number(minutes) !== 0) return null
  return Number(hours) * (sign === '-' ? -1 : 1) + 0
}

/**
 * The same cells on a clock that is whole hours ahead: each hour keeps its figures and gets another name, so the
 * result is exact as long as the zones keep their distance through the period.
 */
export function shiftCells(cells: readonly Cell[], hours: number): Cell[] {
  return cells.map((cell) => {
    const index = (cell.weekday - 1) * 24 + cell.hour + hours
    const wrapped = ((index % HOURS_PER_WEEK) + HOURS_PER_WEEK) % HOURS_PER_WEEK
    return { ...cell, weekday: Math.floor(wrapped / 24) + 1, hour: wrapped % 24 }
  })
}
