import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ArusDatabase, openDatabase } from '../database/database.ts'
import { openRegistry } from './lake-registry.ts'
import { registryContract } from './registry-contract.ts'

registryContract('database and folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-registry-'))
  const databases: ArusDatabase[] = []
  return {
    async open() {
      const database = await openDatabase({ file: join(folder, 'arus.sqlite') })
      databases.push(database)
      return openRegistry({ database, folder: join(folder, 'models') })
    },
    async damageArtefacts() {
      for (const name of readdirSync(join(folder, 'models')))
        writeFileSync(join(folder, 'models', name), 'damaged')
    },
    async destroy() {
      for (const database of databases) await database.destroy()
      rmSync(folder, { recursive: true })
    },
  }
})

test('processes that start together make the database once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-database-'))
  const databases = await Promise.all(
    [1, 2, 3].map(() => openDatabase({ file: join(folder, 'arus.sqlite') })),
  )
  for (const database of databases) {
    expect(await database.selectFrom('models').selectAll().execute()).toEqual([])
    await database.destroy()
  }
  rmSync(folder, { recursive: true })
})
