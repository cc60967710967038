import type { AddFile } from '@arus/delta'

/** Rows of a file, from its statistics; 0 where it has none. */
export function rowCountOf(file: AddFile): number {
  const stats: unknown = file.stats ? JSON.parse(file.stats) : null
  return Number((stats as { readonly numRecords?: number } | null)?.numRecords ?? 0)
}

/** Puts dates into batches of at most `rowsMax` rows (one date may have more) and 31 dates. */
export function dateBatches(files: Iterable<AddFile>, rowsMax: number, column = 'event_date'): string[][] {
  const rows = new Map<string, number>()
  for (const file of files) {
    const date = file.partitionValues[column]
    if (typeof date === 'string' && date !== '') rows.set(date, (rows.get(date) ?? 0) + rowCountOf(file))
  }
  const batches: string[][] = []
  let size = 0
  for (const [date, count] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const last = batches.at(-1)
    if (last === undefined || last.length >= 31 || size + count > rowsMax) {
      batches.push([date])
      size = count
    } else {
      last.push(date)
      size += count
    }
  }
  return batches
}
