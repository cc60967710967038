import { devNull } from 'node:os'
import { defineConfig } from 'vitest/config'

const report = process.env.ARUS_TEST_REPORT

/** `npm run test:engines`: the suites that need real engines, which `engines/vitest-setup.ts` starts once for all. */
export default defineConfig({
  test: {
    // What a `.env` of the repository says is not for tests.
    env: { ARUS_ENV_FILE: devNull },
    include: [
      'packages/*/test/**/*.engines.test.ts',
      'apps/*/test/**/*.engines.test.ts',
      'engines/test/**/*.engines.test.ts',
    ],
    globalSetup: ['engines/vitest-setup.ts'],
    // Real engines take seconds for what a unit test does in milliseconds, more so on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // The engines are what costs time, and they work on one request at a time: with two workers it took longer.
    maxWorkers: 1,
    reporters: report ? ['default', 'json'] : ['default'],
    ...(report ? { outputFile: { json: report } } : {}),
  },
})
