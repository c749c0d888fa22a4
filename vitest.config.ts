import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They take longer and want a machine for themselves: `npm run test:processes`.
    exclude: [...configDefaults.exclude, 'test/processes/**'],
    globalSetup: ['test/cli/shared-build.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // Each core has a worker already: the collector's helpers would only hinder (5% less CPU without them).
    execArgv: ['--single-threaded-gc'],
  },
})
