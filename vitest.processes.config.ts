import { defineConfig } from 'vitest/config'

/** Real processes, disks, sockets and browsers, one after another: `npm run test:processes`. */
export default defineConfig({
  test: {
    include: ['test/processes/**/*.test.ts'],
    globalSetup: ['test/cli/shared-build.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    fileParallelism: false,
  },
})
