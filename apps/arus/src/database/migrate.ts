import { type Migration, Migrator } from 'kysely/migration'
import type { ArusDatabase } from './database.ts'
import { up as createModels } from './migrations/0001-models.ts'
import { up as createApiKeys } from './migrations/0002-api-keys.ts'
import { up as createErasures } from './migrations/0003-erasures.ts'
import { up as createRules } from './migrations/0004-rules.ts'
import { up as createExperiments } from './migrations/0005-experiments.ts'

/** Brings the database up to date, its tables in `schema` where it has schemas. Throws what went wrong, as it was thrown. */
export async function migrate(database: ArusDatabase, schema?: string): Promise<void> {
  const provider = { getMigrations: async () => migrationsIn(schema) }
  const place = schema === undefined ? {} : { migrationTableSchema: schema }
  const { error } = await new Migrator({ db: database, provider, ...place }).migrateToLatest()
  if (error !== undefined) throw error
}

function migrationsIn(schema: string | undefined): Record<string, Migration> {
  return {
    '0001-models': { up: createModels },
    '0002-api-keys': { up: createApiKeys },
    '0003-erasures': { up: (database) => createErasures(database, schema) },
    '0004-rules': { up: createRules },
    '0005-experiments': { up: createExperiments },
  }
}
