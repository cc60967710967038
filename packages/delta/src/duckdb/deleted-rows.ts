/** Deleted rows (ascending), between commas, where that is shorter than a bit for each row up to the last; else null. */
export function deletedList(rows: Float64Array): string | null {
  const list = rows.join(',')
  return list.length <= (rows.at(-1) ?? 0) + 1 ? list : null
}

/** A bit for each row up to the last deleted one, 1 where it is deleted. */
export function rowBits(rows: Float64Array): string {
  const bits = Buffer.alloc((rows.at(-1) ?? -1) + 1, '0')
  for (const row of rows) bits[row] = 0x31
  return bits.toString('latin1')
}
