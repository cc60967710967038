import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDuckDb } from './duckdb.ts'

test('two processes that spill at once keep out of each other’s way, and a killed one leaves nothing for long', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-spill-'))
  const source = (isKilled: boolean) => `
    import { openDuckDb } from ${JSON.stringify(join(import.meta.dirname, 'duckdb.ts'))}
    const duckdb = await openDuckDb({ temporaryFolder: ${JSON.stringify(folder)}, memoryBytes: 64 * 1024 * 1024 })
    const connection = await duckdb.connect()
    await connection.run("CREATE TEMP TABLE t AS SELECT i, md5(i::VARCHAR) AS x FROM range(1500000) r(i)")
    const wrong = await connection.runAndReadAll("SELECT count(*)::INTEGER FROM t WHERE x <> md5(i::VARCHAR)")
    if (${isKilled}) process.kill(process.pid, 'SIGKILL')
    connection.closeSync()
    await duckdb.close()
    process.exitCode = wrong.getRows()[0][0]`
  const run = async (isKilled: boolean) => {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source(isKilled)], {
      stdio: 'inherit',
    })
    return (await once(child, 'exit'))[isKilled ? 1 : 0]
  }
  expect(await Promise.all([run(false), run(false)])).toEqual([0, 0])
  expect(readdirSync(folder)).toEqual([])
  expect(await run(true)).toBe('SIGKILL')
  expect(readdirSync(folder)).toHaveLength(1)
  const duckdb = await openDuckDb({ temporaryFolder: folder, memoryBytes: 64 * 1024 * 1024 })
  ;(await duckdb.connect()).closeSync()
  await duckdb.close()
  expect(readdirSync(folder)).toEqual([])
  rmSync(folder, { recursive: true })
})
