// One compiled command line for all files of a test run: compiling takes longer than most of what is then tried with it. The run makes
// the folder and removes it; the first file that needs a program fills its part.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What is started as a process: the command line, or the replicas of tests, which can do more. */
export type Program = 'command-line' | 'test-replicas'

/** Types were checked in the sources; the command line's are checked as its users' build does it. */
const projects: Readonly<Record<Program, readonly string[]>> = {
  'command-line': ['tsconfig.build.json'],
  'test-replicas': ['tsconfig.tools.json', '--noCheck'],
}
const root = fileURLToPath(new URL(import.meta.url.includes('/.tools/') ? '../../../' : '../../', import.meta.url))
/** Names the folder to the processes of a run. */
const variable = 'QUORATE_TEST_BUILD'
const pollMs = 50
/** Two minutes: then whoever began has died. */
const pollsMax = 2400

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-build-'))
  process.env[variable] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

/** Fills a folder of its own, beside nothing that others use: `dist/` may be running a sweep. */
export function buildInto(dist: string, program: Program): void {
  const built = sharedBuild(program)
  if (built === null) compileInto(dist, program)
  else cpSync(built, dist, { recursive: true })
}

/** Where the modules are. Null: the run has no folder, or whoever was to fill it has not. */
function sharedBuild(program: Program): string | null {
  const folder = process.env[variable]
  if (folder === undefined) return null
  const part = join(folder, program)
  const [dist, failed] = [join(part, 'dist'), join(part, 'failed')]
  if (isFirst(part)) fill(dist, failed, program)
  const wait = new Int32Array(new SharedArrayBuffer(4))
  for (let polls = 0; polls < pollsMax && !existsSync(dist) && !existsSync(failed); polls++)
    Atomics.wait(wait, 0, 0, pollMs)
  return existsSync(dist) ? dist : null
}

function isFirst(part: string): boolean {
  try {
    mkdirSync(part)
    return true
  } catch {
    return false
  }
}

function fill(dist: string, failed: string, program: Program): void {
  try {
    compileInto(`${dist}-unfinished`, program)
    renameSync(`${dist}-unfinished`, dist)
  } catch (error) {
    writeFileSync(failed, '')
    throw error
  }
}

/** Without what nobody runs. */
function compileInto(dist: string, program: Program): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const lean = ['--declaration', 'false', '--sourceMap', 'false']
  execFileSync(process.execPath, [compiler, '-p', ...projects[program], '--outDir', dist, ...lean], { cwd: root })
}
