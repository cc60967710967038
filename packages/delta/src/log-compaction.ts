import type { Action } from './actions.ts'
import { parseLogName } from './log-names.ts'
import { fileKey } from './snapshot.ts'

/**
 * The actions of a file of the log; of a compaction those that count. Protocol, "Log Compaction Files": reconciled, so that
 * each tells of something else; some writers only join the commits, newest first, and then the first tells what holds.
 */
export function effectiveActions(path: string, actions: readonly Action[]): readonly Action[] {
  if (parseLogName(path).kind !== 'compacted') return actions
  const seen = new Set<string>()
  return actions.filter((action) => {
    const subject = subjectOf(action)
    if (subject === null) return true
    if (seen.has(subject)) return false
    seen.add(subject)
    return true
  })
}

/** What an action tells of, that another may tell of as well. */
function subjectOf({ add, remove, txn, metaData, protocol, domainMetadata }: Action): string | null {
  const file = add ?? remove
  if (file) return `file ${fileKey(file)}`
  if (txn) return `txn ${txn.appId}`
  if (domainMetadata) return `domain ${domainMetadata.domain}`
  if (metaData) return 'metaData'
  return protocol ? 'protocol' : null
}
