import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: ((options?: { readonly type: 'minor' }) => void) | null = null

/**
 * Gives back memory that nothing refers to any more, now: of the memory of WebAssembly and of DuckDB's chunks V8 does not know how
 * large it is, and would keep it as long as it needs no room itself. Takes some milliseconds; `minor`, of what was made a
 * moment ago, one.
 */
export function collectGarbage(type: 'all' | 'minor' = 'all'): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as NonNullable<typeof collect>
  }
  if (type === 'minor') collect({ type })
  else collect()
}
