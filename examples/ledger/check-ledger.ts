// The ledger under the checker: random books, on machines that are restarted, asked and compared.

import { assertStateMachine, type Counts } from '../../src/testing/index.ts'
import { defineLedger, type LedgerCommand, type LedgerQuery } from './ledger.ts'

const [issuer, bank, stranger] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

export function checkLedger(): Counts {
  return assertStateMachine(defineLedger(issuer), {
    clients: [issuer, bank, stranger],
    // Few accounts and small amounts, so that commands meet.
    commands: (random): LedgerCommand => {
      const account = (): string => random.pick(['a', 'b', 'c', 'd'])
      const amount = random.between(1, 20)
      if (random.chance(1, 5)) return { kind: 'open', account: account() }
      if (random.chance(1, 3)) return { kind: 'deposit', account: account(), amount }
      return { kind: 'transfer', from: account(), to: account(), amount }
    },
    queries: (random): LedgerQuery =>
      random.chance(1, 2) ? { kind: 'accounts' } : { kind: 'balance', account: random.pick(['a', 'b']) },
    invariant: (ask) => {
      const total = ask({ kind: 'total' })
      if (total.kind !== 'total') return 'the totals cannot be read'
      return total.held === total.issued ? null : `${total.held} is held, and ${total.issued} was issued`
    },
    commandsPerRun: 60,
  })
}
