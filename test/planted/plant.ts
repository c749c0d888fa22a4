// Makes a copy of the sources with one bug in it, and lets the bug's finder loose on it.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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

/** Runs a finder that has a process of its own. `seeds` limits the simulator's search: CI replays one, the search takes all. */
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
      throw new Error('tests are run for many bugs at once: searchByTests')
  }
}

/** A copy for each bug, side by side in one folder, and one run of the tests for all of them: starting it costs more than most tests. */
export function searchByTests(bugs: readonly PlantedBug[]): Map<string, Found> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-planted-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const file of ['tests-of-copies.ts', 'stop-when-found.ts']) {
      cpSync(join(root, 'test/planted/batch', file), join(folder, file))
    }
    for (const bug of bugs) {
      mkdirSync(join(folder, bug.name))
      prepare(bug, join(folder, bug.name))
    }
    return runTests(bugs, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function prepare(bug: PlantedBug, folder: string): void {
  const base = theBase()
  for (const name of readdirSync(base)) if (name !== 'dist') link(join(base, name), join(folder, name))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  replace(join(folder, bug.file), planted(bug, readFileSync(join(root, bug.file), 'utf8')))
  if (bug.finder.kind === 'power-loss') compile(folder, 'tsconfig.tools.json')
  if (bug.finder.kind === 'simulator') compileAlone(bug, folder)
}

/** What all copies begin with: copied and compiled once, and linked into each. */
let made: string | null = null

function theBase(): string {
  if (made !== null) return made
  const base = mkdtempSync(join(tmpdir(), 'quorate-planted-'))
  made = base
  process.on('exit', () => rmSync(base, { recursive: true, force: true }))
  cpSync(join(root, 'src'), join(base, 'src'), { recursive: true })
  const isPlanted = (source: string): boolean => source.includes(join('test', 'planted'))
  cpSync(join(root, 'test'), join(base, 'test'), { recursive: true, filter: (source) => !isPlanted(source) })
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.tools.json']) {
    cpSync(join(root, file), join(base, file))
  }
  return base
}

function link(from: string, to: string): void {
  if (!statSync(from).isDirectory()) return linkSync(from, to)
  mkdirSync(to)
  for (const name of readdirSync(from)) link(join(from, name), join(to, name))
}

/** Written in its place it would be in every copy. */
function replace(path: string, text: string): void {
  rmSync(path, { force: true })
  writeFileSync(path, text)
}

/** All but the planted file is compiled once. */
function compileAlone({ file }: PlantedBug, folder: string): void {
  const base = theBase()
  if (!existsSync(join(base, 'dist'))) {
    symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'))
    compile(base, 'tsconfig.build.json')
    rmSync(join(base, 'node_modules'))
  }
  link(join(base, 'dist'), join(folder, 'dist'))
  rmSync(join(folder, file.replace(/^src/, 'dist').replace(/ts$/, 'js')))
  const project = { extends: './tsconfig.build.json', compilerOptions: { noResolve: true }, include: [file] }
  writeFileSync(join(folder, 'tsconfig.alone.json'), JSON.stringify(project))
  compile(folder, 'tsconfig.alone.json')
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
    ...(finder.rule === undefined ? [] : ['--rule', finder.rule]),
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

interface TestedFile {
  name: string
  startTime: number
  endTime: number
  assertionResults: { status: string; fullName: string }[]
}

function runTests(bugs: readonly PlantedBug[], folder: string): Map<string, Found> {
  const files = bugs.flatMap(({ name, finder }) => {
    return finder.kind === 'tests' ? finder.files.map((file) => join(name, file)) : []
  })
  const all = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files]
  all.push('--config', 'tests-of-copies.ts', '--reporter', 'json')
  const { stdout } = spawnSync(process.execPath, all, inside(folder))
  const { testResults } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { testResults: TestedFile[] }
  return new Map(
    bugs.map(({ name }) => {
      const own = testResults.filter((file) => file.name.includes(`/${name}/test/`))
      // A file that cannot even be loaded proves nothing: only a test that ran and failed counts.
      const failed = own.flatMap((file) => {
        const names = file.assertionResults.filter((one) => one.status === 'failed').map((one) => one.fullName)
        return names.map((title) => `${file.name.slice(file.name.indexOf('/test/') + 1)}: ${title}`)
      })
      const seconds = own.reduce((sum, { startTime, endTime }) => sum + endTime - startTime, 0) / 1000
      return [name, { found: failed.length > 0, seed: null, report: failed.join('; ').slice(0, 500), seconds }]
    }),
  )
}
