import { execFileSync } from 'node:child_process'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a process that steps behind requests has a lower priority than who started it', () => {
  const module = JSON.stringify(join(import.meta.dirname, 'behind-requests.ts'))
  const script = `import { getPriority } from 'node:os'
    import { stepBehindRequests } from ${module}
    stepBehindRequests()
    console.log(getPriority())`
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  })
  expect(Number(printed)).toBeGreaterThan(getPriority())
})
