// Makes a copy of the sources with one bug in it, and lets the bug's finder loose on it.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpuSecondsMax, seedsMax, type Finder, type PlantedBug, type SimulatorFinder } from './planted-bug.ts'

export interface Found {
  found: boolean
  /** For the simulator: the first seed that reported it, and what it said. */
  seed: number | null
  report: string
  seconds: number
}

const root = fileURLToPath(new URL(import.meta.url.includes('/.tools/') ? '../../../' : '../../', import.meta.url))

/** The changed text, or an error that says why the bug cannot be planted. */
export function planted(bug: PlantedBug, source: string): string {
  const parts = source.split(bug.find)
  if (parts.length !== 2)
    throw new Error(`${bug.name}: its anchor stands ${parts.length - 1} times in ${bug.file}, not once`)
  return parts.join(bug.replace)
}

/** Runs the finder. `seeds` limits the simulator's search: CI replays one, the search takes all. */
export function search(bug: PlantedBug, seeds: { from: number; to: number }): Found {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-planted-'))
  const startedMs = Date.now()
  try {
    prepare(bug, folder)
    return { ...find(bug.finder, folder, seeds), seconds: (Date.now() - startedMs) / 1000 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function find(finder: Finder, folder: string, seeds: { from: number; to: number }): Omit<Found, 'seconds'> {
  switch (finder.kind) {
    case 'simulator':
      return simulate(finder, folder, seeds)
    case 'power-loss':
      return losePower(finder, folder)
    case 'tests':
      return test(finder.files, folder)
  }
}

function prepare(bug: PlantedBug, folder: string): void {
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const file of [
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'tsconfig.tools.json',
    'vitest.config.ts',
  ]) {
    cpSync(join(root, file), join(folder, file))
  }
  const path = join(folder, bug.file)
  writeFileSync(path, planted(bug, readFileSync(path, 'utf8')))
  if (bug.finder.kind === 'simulator') return compile(folder, 'tsconfig.build.json')
  copyTests(folder)
  if (bug.finder.kind === 'power-loss') compile(folder, 'tsconfig.tools.json')
}

/** What is run there keeps its own temporary folders there too, and they go with it. */
function inside(folder: string): { cwd: string; encoding: 'utf8'; maxBuffer: number; env: NodeJS.ProcessEnv } {
  const scratch = join(folder, 'tmp')
  mkdirSync(scratch, { recursive: true })
  return { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, TMPDIR: scratch } }
}

function compile(folder: string, project: string): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  // Types were checked in the sources; a bug may leave something unused.
  const args = [compiler, '-p', project, '--noCheck', '--declaration', 'false', '--sourceMap', 'false']
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the planted copy does not compile: ${stdout}`)
}

function copyTests(folder: string): void {
  mkdirSync(join(folder, 'test'))
  cpSync(join(root, 'test'), join(folder, 'test'), {
    recursive: true,
    filter: (source) => !source.includes(join('test', 'planted')),
  })
}

function simulate(
  finder: SimulatorFinder,
  folder: string,
  seeds: { from: number; to: number },
): Omit<Found, 'seconds'> {
  const to = Math.min(seeds.to, seedsMax)
  const args = [
    'dist/cli/main.js',
    'sim',
    '--protocol',
    finder.protocol ?? 'raft',
    '--replicas',
    String(finder.replicas),
  ]
  args.push('--faults', finder.faults, '--seeds', `${seeds.from}..${to}`, '--stop-after', '1', '--json')
  args.push('--minutes', String(cpuSecondsMax / 60))
  const { stdout, stderr } = spawnSync(process.execPath, args, inside(folder))
  const failure = firstFailure(stdout)
  if (failure === null) return { found: false, seed: null, report: stderr.slice(-500) }
  return { found: true, seed: failure.seed, report: `${failure.invariant}: ${failure.explanation}` }
}

interface Failure {
  seed: number
  invariant: string
  explanation: string
}

function firstFailure(stdout: string): Failure | null {
  const report = JSON.parse(stdout) as { failures?: Failure[] }
  return report.failures?.[0] ?? null
}

/** The seed draws kills and disks; when a kill hits a write is the machine's affair. So a few kills more are allowed than it takes. */
function losePower(finder: Extract<Finder, { kind: 'power-loss' }>, folder: string): Omit<Found, 'seconds'> {
  const { replicas, kills, seed } = finder
  const args = ['.tools/test/processes/power-loss/main.js', '--replicas', String(replicas), '--kills', String(kills)]
  args.push('--seed', String(seed), '--json')
  const { stdout, stderr } = spawnSync(process.execPath, args, inside(folder))
  const last = stdout.trimEnd().split('\n').at(-1) ?? ''
  if (!last.startsWith('{')) return { found: false, seed, report: stderr.slice(-500) }
  const { problem, kills: killed } = JSON.parse(last) as { problem: string | null; kills: number }
  return { found: problem !== null, seed, report: problem === null ? '' : `after ${killed} kills: ${problem}` }
}

function test(files: readonly string[], folder: string): Omit<Found, 'seconds'> {
  // One test that fails is enough. What ends early does not always say which it was: then all of them run.
  const early = runTests([...files, '--bail', '1'], folder)
  return early.found || early.passed ? early : runTests(files, folder)
}

function runTests(args: readonly string[], folder: string): Omit<Found, 'seconds'> & { passed: boolean } {
  const all = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args, '--reporter', 'json']
  const { stdout, status } = spawnSync(process.execPath, all, inside(folder))
  const start = stdout.indexOf('{')
  const report = JSON.parse(stdout.slice(start)) as {
    numFailedTests: number
    numTotalTests: number
    testResults: { assertionResults: { status: string; fullName: string }[] }[]
  }
  const failed = report.testResults.flatMap((file) => file.assertionResults).filter((one) => one.status === 'failed')
  // A file that cannot even be loaded proves nothing: only a test that ran and failed counts.
  return {
    passed: status === 0,
    found: failed.length > 0,
    seed: null,
    report: failed
      .map((one) => one.fullName)
      .join('; ')
      .slice(0, 500),
  }
}
