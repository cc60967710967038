import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTestDatabase } from '../database/test-database.ts'
import { openRegistry } from './lake-registry.ts'
import { registryContract } from './registry-contract.ts'

registryContract('database and folder', async () => {
  const under = await openTestDatabase()
  const folder = join(under.folder, 'models')
  return {
    open: async () => openRegistry({ database: await under.open(), folder }),
    async damageArtefacts() {
      for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'damaged')
    },
    destroy: () => under.close(),
  }
})

test('processes that start together make the database once', async () => {
  await using under = await openTestDatabase()
  const databases = await Promise.all(Array.from({ length: 8 }, () => under.open()))
  for (const database of databases) {
    expect(await database.selectFrom('models').selectAll().execute()).toEqual([])
    expect(await database.selectFrom('rule_book').selectAll().execute()).toHaveLength(1)
  }
})
