import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'

const assembly = join(import.meta.dirname, '../../../assembly')
const isThere = existsSync(join(assembly, 'node_modules'))

test.skipIf(!isThere)(
  `each .wasm is what its source compiles to${isThere ? '' : ' (skipped without npm ci in assembly/)'}`,
  () => {
    execFileSync(process.execPath, ['build.mjs', '--check'], { cwd: assembly })
  },
)
