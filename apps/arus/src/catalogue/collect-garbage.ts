import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | null = null

/**
 * Gives back memory that nothing refers to any more, now: of the memory of WebAssembly V8 does not know how large it is, and
 * would keep it as long as it needs no room itself. Takes some milliseconds.
 */
export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
