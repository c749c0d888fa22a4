// `npm run planted`: searches afresh for every planted bug (or those named), within its budget, and prints the table.
// `npm run planted:recorded`: replays the recorded seed of each, and runs the tests that must fail; what CI does.
// `--jobs N`: so many at once, each in a process of its own.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plantedBugs } from './bugs.ts'
import { search, searchByTests, type Found } from './plant.ts'
import { seedsMax, type PlantedBug } from './planted-bug.ts'

/** Enough that starting the tests costs little, and few enough that all jobs end at about the same time. */
const bugsTogether = 12

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
  for (const piece of pieces()) {
    if (!claim(piece)) continue
    for (const [bug, found] of searchPiece(piece)) {
      looked++
      if (!found.found) missed++
      process.stdout.write(`${line(bug, found)}\n`)
    }
  }
  process.stdout.write(`${looked - missed} passed, ${missed} failed\n`)
  return missed > 0 ? 1 : 0
}

/** Bugs whose finders are tests go together, so many at a time. Those that take long by themselves come first. */
function pieces(): PlantedBug[][] {
  const alone = asked.filter(({ finder }) => finder.kind !== 'tests').map((bug) => [bug])
  const tested = asked.filter(({ finder }) => finder.kind === 'tests')
  const together: PlantedBug[][] = []
  for (let index = 0; index < tested.length; index += bugsTogether) {
    together.push(tested.slice(index, index + bugsTogether))
  }
  return [...alone, ...together]
}

function searchPiece(piece: readonly PlantedBug[]): [PlantedBug, Found][] {
  const [first] = piece
  if (first!.finder.kind !== 'tests') return [[first!, search(first!, range(first!))]]
  const found = searchByTests(piece)
  return piece.map((bug) => [bug, found.get(bug.name)!])
}

function claim([first]: readonly PlantedBug[]): boolean {
  if (claims === undefined) return true
  try {
    mkdirSync(join(claims, first!.name))
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
