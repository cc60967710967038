import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const PACKAGE = join(import.meta.dirname, '..')

test('the committed protocol is what Spark’s own files generate', () => {
  const output = mkdtempSync(join(tmpdir(), 'spark-connect-'))
  try {
    execFileSync(process.execPath, [join(PACKAGE, 'generate.ts'), process.env.ARUS_SPARK_JARS!, output])
    expect(filesOf(output)).toEqual(filesOf(join(PACKAGE, 'src', 'protocol')))
  } finally {
    rmSync(output, { recursive: true })
  }
})

function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
