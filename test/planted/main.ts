// `npm run planted`: searches afresh for every planted bug (or those named), within its budget, and prints the table.
// `npm run planted:recorded`: replays the recorded seed of each, and runs the tests that must fail; what CI does.

import { plantedBugs } from './bugs.ts'
import { search, type Found } from './plant.ts'
import { seedsMax, type PlantedBug } from './planted-bug.ts'

const recorded = process.argv.includes('--recorded')
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const unknown = names.filter((name) => !plantedBugs.some((bug) => bug.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no planted bug is called ${unknown.join(', ')}; test/planted/bugs.ts has their names\n`)
  process.exit(2)
}
const bugs = plantedBugs.filter((bug) => names.length === 0 || names.includes(bug.name))

let missed = 0
for (const bug of bugs) {
  const found = search(bug, range(bug))
  if (!found.found) missed++
  process.stdout.write(`${line(bug, found)}\n`)
}
process.stdout.write(`${bugs.length - missed} passed, ${missed} failed\n`)
process.exit(missed > 0 ? 1 : 0)

function range(bug: PlantedBug): { from: number; to: number } {
  if (recorded && bug.finder.kind === 'simulator') return { from: bug.finder.seed, to: bug.finder.seed }
  return { from: 1, to: seedsMax }
}

function line(bug: PlantedBug, found: Found): string {
  const { finder } = bug
  const by = finder.kind === 'tests' ? 'tests' : `${finder.kind} n=${finder.replicas} seed ${found.seed ?? '-'}`
  return `${found.found ? 'found ' : 'MISSED'} ${bug.name.padEnd(40)} ${by.padEnd(26)} ${found.seconds.toFixed(1)} s  ${found.report.slice(0, 160)}`
}
