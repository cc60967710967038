export const LOG_FOLDER = '_delta_log'
export const SIDECAR_FOLDER = `${LOG_FOLDER}/_sidecars`
export const LAST_CHECKPOINT = `${LOG_FOLDER}/_last_checkpoint`

const COMMIT = /^(\d{20})\.json$/
const COMPACTED = /^(\d{20})\.(\d{20})\.compacted\.json$/
const CLASSIC_CHECKPOINT = /^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/
/** The protocol says a UUID; Spark takes any name without a dot. */
const UUID_CHECKPOINT = /^(\d{20})\.checkpoint\.([^.]+)\.(json|parquet)$/
const CHECKSUM = /^(\d{20})\.crc$/

/** What a file of the log is. Protocol, "Delta Log Entries", "Log Compaction Files", "Checkpoints". */
export type LogFile =
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'compacted'; readonly version: number; readonly lastVersion: number }
  | {
      readonly kind: 'checkpoint'
      readonly version: number
      readonly part: number
      readonly partCount: number
      /** Files of one checkpoint share it. */
      readonly id: string
    }
  | { readonly kind: 'checksum'; readonly version: number }
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

/** A name that sorts before every file of a version and after every file of the one before. */
export function nameBefore(version: number): string {
  return version <= 0 ? '' : `${paddedVersion(version - 1)}.~`
}

export function parseLogName(path: string): LogFile {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const commit = COMMIT.exec(name)
  if (commit) return { kind: 'commit', version: Number(commit[1]) }
  const compacted = COMPACTED.exec(name)
  if (compacted) {
    return { kind: 'compacted', version: Number(compacted[1]), lastVersion: Number(compacted[2]) }
  }
  const classic = CLASSIC_CHECKPOINT.exec(name)
  if (classic) {
    const partCount = Number(classic[3] ?? 1)
    const [version, part] = [Number(classic[1]), Number(classic[2] ?? 1)]
    return { kind: 'checkpoint', version, part, partCount, id: `${version}/${classic[3] ?? ''}` }
  }
  const v2 = UUID_CHECKPOINT.exec(name)
  if (v2) {
    const version = Number(v2[1])
    return { kind: 'checkpoint', version, part: 1, partCount: 1, id: `${version}/${v2[2]}` }
  }
  const checksum = CHECKSUM.exec(name)
  return checksum ? { kind: 'checksum', version: Number(checksum[1]) } : { kind: 'other' }
}
