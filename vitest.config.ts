import { configDefaults, defineConfig } from 'vitest/config'

/** Rooms that touch no process, disk or socket: nothing one file does can reach another, so they share processes. */
const pureRooms = [
  'benchmark/complexity',
  'benchmark/plot',
  'client/core',
  'conformance',
  'crypto',
  'errors',
  'execution',
  'kernel',
  'network/link',
  'protocols',
  'replica/checkpoints',
  'replica/core',
  'replica/driver',
  'replica/fetching',
  'replica/pool',
  'scenarios',
  'simulator',
  'storage/evidence',
  'storage/log',
  'storage/snapshots',
  'testing',
  'wire',
].map((room) => `test/${room}/**/*.test.ts`)

const shared = {
  testTimeout: 60_000,
  pool: 'forks' as const,
  // Each core has a worker already: the collector's helpers would only hinder (5% less CPU without them).
  execArgv: ['--single-threaded-gc'],
}

export default defineConfig({
  test: {
    // One more than the cores of CI: some wait for timers and processes.
    maxWorkers: 3,
    projects: [
      // A start for each file was a quarter of all CPU.
      { test: { ...shared, name: 'pure', include: pureRooms, isolate: false } },
      {
        test: {
          ...shared,
          name: 'whole',
          include: ['test/**/*.test.ts'],
          // Real processes take longer and want a machine for themselves: `npm run test:processes`.
          exclude: [...configDefaults.exclude, ...pureRooms, 'test/processes/**'],
          globalSetup: ['test/cli/shared-build.ts'],
        },
      },
    ],
  },
})
