// The built-in store in the simulated world, judged by both checkers.

import { keyValueModel, type HistoryOperation, type HistoryResult } from './checkers/key-value-model.ts'
import { checkLinearizability } from './checkers/linearizability-checker.ts'
import { checkReplay } from './checkers/replay-checker.ts'
import type { SimulatedApplication } from './application.ts'
import { Load } from './load.ts'
import { createStoreExecutor, resultOf, writeCommand, writeQuery } from './store-language.ts'

const linearizabilityStepsMax = 200_000

export const storeApplication: SimulatedApplication<HistoryOperation, HistoryResult> = {
  createExecutor: createStoreExecutor,
  createLoad: ({ keys }) => {
    const load = new Load(keys)
    return (random) => load.draw(random)
  },
  language: {
    writeCommand,
    writeQuery: (operation) => (operation.kind === 'get' ? writeQuery(operation) : null),
    readResult: resultOf,
    kindOf: (operation) => operation.kind,
    failures: [],
  },
  judge: ({ history, decided, heightDecided }) => {
    const replay = checkReplay({ model: keyValueModel, history, decided, heightDecided })
    const first = replay.violations[0]
    if (first !== undefined) {
      return { kind: 'violated', invariant: first.invariant, explanation: first.explanation }
    }
    const verdict = checkLinearizability({ model: keyValueModel, history, stepsMax: linearizabilityStepsMax })
    if (verdict.kind === 'undecided') return { kind: 'undecided' }
    if (verdict.kind !== 'violation') return { kind: 'passed' }
    return { kind: 'violated', invariant: 'linearizability', explanation: verdict.violation.explanation }
  },
}
