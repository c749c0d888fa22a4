// The command line as its users have it: compiled, in a folder of its own, started as a process.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildInto } from './shared-build.ts'

export interface Ended {
  code: number | null
  out: string
  error: string
}

export interface Running {
  process: ChildProcess
  ended: Promise<Ended>
}

export interface BuiltCli {
  /** A folder for the files of tests. */
  folder: string
  run(...args: readonly string[]): Promise<Ended>
  start(...args: readonly string[]): Running
  /** Another program than the command, by its place below src/. */
  startProgram(path: string, ...args: readonly string[]): Running
  remove(): void
}

const root = fileURLToPath(new URL('../../', import.meta.url))

export function buildCli(): BuiltCli {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-cli-'))
  const dist = join(folder, 'dist')
  buildInto(dist, 'command-line')
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
  const started = new Set<ChildProcess>()
  const startProgram = (path: string, ...args: readonly string[]): Running => {
    const child = spawn(process.execPath, [join(dist, path.replace(/\.ts$/, '.js')), ...args], { cwd: folder })
    started.add(child)
    child.on('close', () => started.delete(child))
    return { process: child, ended: endOf(child) }
  }
  const start = (...args: readonly string[]): Running => startProgram('cli/main.ts', ...args)
  return {
    folder,
    start,
    startProgram,
    run: (...args) => start(...args).ended,
    // What a failed test left running ends here; its workers end with it.
    remove: () => {
      for (const child of started) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let out = ''
    let error = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (error += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, error }))
  })
}

/** Waits until the process has started so many others, and names them. */
export async function childrenOf(parent: number, count: number): Promise<number[]> {
  for (;;) {
    const found = processes().filter((one) => one.parent === parent)
    if (found.length >= count) return found.map((one) => one.id)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export function isAlive(id: number): boolean {
  return processes().some((one) => one.id === id)
}

function processes(): { id: number; parent: number }[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => {
    const [id, parent] = line.trim().split(/\s+/)
    return { id: Number(id), parent: Number(parent) }
  })
}
