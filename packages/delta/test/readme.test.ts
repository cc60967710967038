import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the first example of the README runs as it stands, and prints the row it wrote', async () => {
  const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(10)
  const folder = mkdtempSync(join(tmpdir(), 'arus-readme-'))
  try {
    const source = example.replace("'lake/events'", JSON.stringify(folder))
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning', '-e', source],
      { cwd: join(import.meta.dirname, '..') },
    )
    expect(stdout.trim()).toBe("[ { n: '1' } ]")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
