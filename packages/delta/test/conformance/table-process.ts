/** A process that reads tables one after the other, so that a crash or a hang of one costs no more than that one. */
import type { ConformanceCase } from './conformance-case.ts'
import { type Observation, observe } from './observation.ts'
import { unpack } from './unpacked-table.ts'

/** What the process is asked: read the tables of a case, unpacked into an empty folder. */
export interface TableRequest {
  readonly one: ConformanceCase
  readonly folder: string
}

/** What it answers. */
export type TableAnswer =
  | { readonly kind: 'observed'; readonly observations: readonly Observation[] }
  | { readonly kind: 'unreadable-archive'; readonly reason: string }

process.on('message', (request: TableRequest) => {
  void answer(request).then((message) => process.send?.(message))
})

async function answer({ one, folder }: TableRequest): Promise<TableAnswer> {
  try {
    const observations: Observation[] = []
    for (const table of await unpack(one, folder)) observations.push(await observe(table))
    return { kind: 'observed', observations }
  } catch (error) {
    return { kind: 'unreadable-archive', reason: error instanceof Error ? error.message : String(error) }
  }
}
