// One compiled command line for all files of a test run: compiling takes longer than most of what is then tried with it. The run makes
// the folder and removes it; the first file that needs the command fills it.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
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

/** Where the modules are. Null: the run has no folder, or whoever was to fill it has not. */
export function sharedBuild(): string | null {
  const folder = process.env[variable]
  if (folder === undefined) return null
  const [dist, failed] = [join(folder, 'dist'), join(folder, 'failed')]
  if (isFirst(folder)) fill(dist, failed)
  const wait = new Int32Array(new SharedArrayBuffer(4))
  for (let polls = 0; polls < pollsMax && !existsSync(dist) && !existsSync(failed); polls++)
    Atomics.wait(wait, 0, 0, pollMs)
  return existsSync(dist) ? dist : null
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(join(folder, 'begun'))
    return true
  } catch {
    return false
  }
}

function fill(dist: string, failed: string): void {
  try {
    compileInto(`${dist}-unfinished`)
    renameSync(`${dist}-unfinished`, dist)
  } catch (error) {
    writeFileSync(failed, '')
    throw error
  }
}

/** Without what nobody runs. */
export function compileInto(dist: string): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const lean = ['--declaration', 'false', '--sourceMap', 'false']
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', dist, ...lean], { cwd: root })
}
