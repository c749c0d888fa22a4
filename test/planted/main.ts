// `npm run planted`: searches afresh for every planted bug (or those named), within its budget, and prints the table.
// `npm run planted:recorded`: replays the recorded seed of each, and runs the tests that must fail; what CI does.
// `--jobs N`: so many at once, each in a process of its own.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plantedBugs } from './bugs.ts'
import { search, type Found } from './plant.ts'
import { seedsMax, type PlantedBug } from './planted-bug.ts'

const recorded = process.argv.includes('--recorded')
const jobs = Number(valueOf('--jobs=') ?? 1)
/** Where the processes of one search claim their bugs, one after the other. */
const claims = valueOf('--claims=')
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const unknown = names.filter((name) => !plantedBugs.some((bug) => bug.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no planted bug is called ${unknown.join(', ')}; test/planted/bugs.ts has their names\n`)
  process.exit(2)
}
const asked = plantedBugs.filter((bug) => names.length === 0 || names.includes(bug.name))
process.exit(jobs > 1 ? await shareOut() : searchMine())

function searchMine(): number {
  let looked = 0
  let missed = 0
  for (const bug of asked) {
    if (!claim(bug)) continue
    looked++
    const found = search(bug, range(bug))
    if (!found.found) missed++
    process.stdout.write(`${line(bug, found)}\n`)
  }
  process.stdout.write(`${looked - missed} passed, ${missed} failed\n`)
  return missed > 0 ? 1 : 0
}

function claim(bug: PlantedBug): boolean {
  if (claims === undefined) return true
  try {
    mkdirSync(join(claims, bug.name))
    return true
  } catch {
    return false
  }
}

/** Fails when one of them does. */
async function shareOut(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-claims-'))
  try {
    const others = process.argv.slice(2).filter((argument) => !argument.startsWith('--jobs='))
    const codes = Array.from({ length: jobs }, () => {
      const args = [fileURLToPath(import.meta.url), ...others, `--claims=${folder}`]
      const child = spawn(process.execPath, args, { stdio: 'inherit' })
      return new Promise<number>((resolve) => {
        child.on('exit', (code) => resolve(code ?? 1))
        child.on('error', () => resolve(1))
      })
    })
    return Math.max(...(await Promise.all(codes)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function valueOf(prefix: string): string | undefined {
  return process.argv.find((argument) => argument.startsWith(prefix))?.slice(prefix.length)
}

function range(bug: PlantedBug): { from: number; to: number } {
  if (recorded && bug.finder.kind === 'simulator') return { from: bug.finder.seed, to: bug.finder.seed }
  return { from: 1, to: seedsMax }
}

function line(bug: PlantedBug, found: Found): string {
  const { finder } = bug
  const by = finder.kind === 'tests' ? 'tests' : `${finder.kind} n=${finder.replicas} seed ${found.seed ?? '-'}`
  return `${found.found ? 'found ' : 'MISSED'} ${bug.name.padEnd(40)} ${by.padEnd(26)} ${found.seconds.toFixed(1)} s  ${found.report.slice(0, 160)}`
}
