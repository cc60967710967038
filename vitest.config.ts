import { devNull } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // What a `.env` of the repository says is not for tests.
    env: { ARUS_ENV_FILE: devNull },
    include: [
      'packages/*/{src,test}/**/*.test.ts',
      'apps/*/{src,test}/**/*.test.{ts,tsx}',
      'engines/test/**/*.test.ts',
      'bin/*.test.ts',
    ],
    exclude: [...configDefaults.exclude, '**/*.engines.test.ts'],
    // For tests that hang, not for machines that are slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
