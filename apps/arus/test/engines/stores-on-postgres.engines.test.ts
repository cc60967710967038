import { afterAll, beforeAll, describe } from 'vitest'

/** The tests of every store, unchanged, on PostgreSQL: `openTestDatabase` gives one where this is set. */
beforeAll(() => {
  process.env.ARUS_TEST_DATABASE_URL = process.env.DATABASE_URL
})
afterAll(() => {
  delete process.env.ARUS_TEST_DATABASE_URL
})

describe('registry', () => import('../../src/registry/lake-registry.test.ts').then(() => {}))
describe('rules', () => import('../../src/rules/rule-store.test.ts').then(() => {}))
describe('keys', () => import('../../src/keys/keys.test.ts').then(() => {}))
describe('experiments', () => import('../../src/experiments/experiments.test.ts').then(() => {}))
describe('erasures', () => import('../../src/erasure/erasure.test.ts').then(() => {}))
