import type { ConformanceCase } from './conformance-case.ts'
import type { Observation } from './observation.ts'
import { REFUSED_FEATURES, REFUSED_TABLES } from './refused.ts'
import type { ReadOutcome } from './table-reader.ts'

/** What a case came to, and why in one line. */
export interface Verdict {
  readonly kind: 'passed' | 'failed' | 'skipped'
  readonly name: string
  readonly detail: string
}

/** What may be refused, and why; see `refused.ts`. */
export interface RefusedList {
  readonly features: Readonly<Record<string, string>>
  readonly tables: Readonly<Record<string, string>>
}

const REFUSED: RefusedList = { features: REFUSED_FEATURES, tables: REFUSED_TABLES }

/** An archive passes when each table in it does. */
export function judge(one: ConformanceCase, outcome: ReadOutcome, refused: RefusedList = REFUSED): Verdict {
  const { name } = one
  switch (outcome.kind) {
    case 'no-archive':
      return { kind: 'skipped', name, detail: `there is no ${one.archive}` }
    case 'unreadable-archive':
      return { kind: 'skipped', name, detail: `the archive cannot be unpacked: ${outcome.reason}` }
    case 'died':
      return { kind: 'failed', name, detail: outcome.reason }
    case 'observed': {
      const judged = outcome.observations.map((observation) => {
        const { isPassed, detail } = judgeTable(one, observation, refused)
        return { isPassed, detail: observation.table === '' ? detail : `${observation.table}: ${detail}` }
      })
      const failed = judged.filter((table) => !table.isPassed)
      const shown = failed.length > 0 ? failed : judged
      return {
        kind: failed.length > 0 ? 'failed' : 'passed',
        name,
        detail: shown.map((table) => table.detail).join('\n    '),
      }
    }
  }
}

interface TableVerdict {
  readonly isPassed: boolean
  readonly detail: string
}

function judgeTable(one: ConformanceCase, observation: Observation, refused: RefusedList): TableVerdict {
  switch (observation.kind) {
    case 'crashed':
      return { isPassed: false, detail: `neither read nor refused: ${observation.reason}` }
    case 'refused':
      return judgeRefusal(one, observation, refused)
    case 'read':
      return judgeRows(one, observation, refused)
  }
}

type Refusal = Extract<Observation, { kind: 'refused' }>
type Reading = Extract<Observation, { kind: 'read' }>

function judgeRefusal(
  { name }: ConformanceCase,
  { code, message, mustBeRead }: Refusal,
  refused: RefusedList,
): TableVerdict {
  const said = `${code}: ${message}`
  const feature = Object.keys(refused.features).find(
    (one) => code === UNSUPPORTED && namesFeature(message, one),
  )
  const reason = refused.tables[name] ?? (feature === undefined ? undefined : refused.features[feature])
  if (reason !== undefined) return { isPassed: true, detail: `refused: ${feature ?? name}: ${reason}` }
  return mustBeRead
    ? { isPassed: false, detail: `refused, though nothing on the list says why: ${said}` }
    : { isPassed: true, detail: `refused, and nothing says which rows it has: ${said}` }
}

const UNSUPPORTED = 'DELTA_FEATURE_UNSUPPORTED'

function namesFeature(message: string, feature: string): boolean {
  return message.split(/[^\w-]+/).includes(feature)
}

function judgeRows({ name }: ConformanceCase, reading: Reading, refused: RefusedList): TableVerdict {
  const { version, rowCount, difference, readerFeatures, comparedWith } = reading
  const outdated = readerFeatures.find((feature) => feature in refused.features)
  if (outdated !== undefined || name in refused.tables) {
    return { isPassed: false, detail: `was read, though refused.ts lists ${outdated ?? name}` }
  }
  if (difference !== null) return { isPassed: false, detail: difference }
  return { isPassed: true, detail: `version ${version}, ${rowCount} rows, ${AGAINST[comparedWith]}` }
}

const AGAINST = {
  rows: 'as expected',
  count: 'as many as another reader finds',
  'count by the log':
    'by the log, as many as another reader finds; refused beyond that, for its data files are not in the archive',
  nothing: 'and nothing to compare them with',
}
