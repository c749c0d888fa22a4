// The table of docs/protocols/pbft.md: what a view change of pbft costs with full windows. Counted, not timed.
//
// npx tsc -p tsconfig.tools.json && node .tools/bench/view-change.js

import { extendedCost, tableHead, tableRow } from '../test/protocols/pbft/view-change-costs.ts'

const windowBlocks = 256

console.log(tableHead)
for (const voters of [4, 7, 10, 13, 16, 19, 22, 25, 28, 31]) console.log(tableRow(extendedCost(voters, windowBlocks)))
