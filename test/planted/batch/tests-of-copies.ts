// Of a folder of copies, each with a bug of its own (../plant.ts).

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['*/test/**/*.test.ts'],
    setupFiles: ['./stop-when-found.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    // As many of these run as there are jobs.
    maxWorkers: 1,
  },
})
