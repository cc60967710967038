export const LOG_FOLDER = '_delta_log'
export const LAST_CHECKPOINT = `${LOG_FOLDER}/_last_checkpoint`

const COMMIT = /^(\d{20})\.json$/
const CLASSIC_CHECKPOINT = /^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/
const UUID_CHECKPOINT = /^(\d{20})\.checkpoint\.[0-9a-f-]{36}\.(json|parquet)$/

/** What a file of the log is. */
export type LogFile =
  | { readonly kind: 'commit'; readonly version: number }
  | {
      readonly kind: 'checkpoint'
      readonly version: number
      readonly part: number
      readonly partCount: number
    }
  | { readonly kind: 'v2-checkpoint'; readonly version: number }
  | { readonly kind: 'other' }

export function paddedVersion(version: number): string {
  return String(version).padStart(20, '0')
}

export function commitPath(version: number): string {
  return `${LOG_FOLDER}/${paddedVersion(version)}.json`
}

export function checkpointPath(version: number): string {
  return `${LOG_FOLDER}/${paddedVersion(version)}.checkpoint.parquet`
}

/** Protocol, "Delta Log Entries", "Checkpoints". */
export function parseLogName(path: string): LogFile {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const commit = COMMIT.exec(name)
  if (commit) return { kind: 'commit', version: Number(commit[1]) }
  const classic = CLASSIC_CHECKPOINT.exec(name)
  if (classic) {
    return {
      kind: 'checkpoint',
      version: Number(classic[1]),
      part: Number(classic[2] ?? 1),
      partCount: Number(classic[3] ?? 1),
    }
  }
  const v2 = UUID_CHECKPOINT.exec(name)
  return v2 ? { kind: 'v2-checkpoint', version: Number(v2[1]) } : { kind: 'other' }
}
