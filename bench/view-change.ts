// The tables of docs/protocols/pbft.md and docs/protocols/hotstuff-figures.md: what a view change costs, of pbft with full windows, and of hotstuff
// beside it. Counted, not timed.
//
// npx tsc -p tsconfig.tools.json && node .tools/bench/view-change.js

import { viewTableHead, viewTableRow } from '../test/protocols/hotstuff/view-change-costs.ts'
import { extendedCost, tableHead, tableRow } from '../test/protocols/pbft/view-change-costs.ts'

const windowBlocks = 256
const sizes = [4, 7, 10, 13, 16, 19, 22, 25, 28, 31]

console.log(tableHead)
for (const voters of sizes) console.log(tableRow(extendedCost(voters, windowBlocks)))
console.log(`\n${viewTableHead}`)
for (const voters of sizes) console.log(viewTableRow(voters))
