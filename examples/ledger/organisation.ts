// One organisation of the consortium: a process with a replica in it. Its ledger is on its own disk, and the same as everybody's.
//
//   node .tools/examples/ledger/organisation.js net/replica-1 'open cash' 'deposit cash 100'
//
// Commands come as arguments, and then as lines of the standard input; each is answered with one line of JSON, when it is answered,
// with the number of the command. The process ends when its input does, or with Ctrl-C.

import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createReplica, QuorateError, readNetworkFile } from '../../src/index.ts'
import { defineLedger, type LedgerCommand, type LedgerQuery, type LedgerResult } from './ledger.ts'

export type Answer =
  | { kind: 'result'; result: LedgerResult; height: number }
  | { kind: 'status'; leader: number | null; height: number; header: string }
  /** `definite`: it did not happen. `indefinite`: it may have; the ledger says. */
  | { kind: 'failed'; code: string; certainty: string | null; message: string }
  | { kind: 'misunderstood'; message: string }

const usage =
  'open ACCOUNT, deposit ACCOUNT AMOUNT, transfer FROM TO AMOUNT, balance ACCOUNT, accounts, total, or status'

const [folder, ...given] = process.argv.slice(2)
if (folder === undefined) throw new Error('name the folder of a replica, which quorate init makes: net/replica-1')

const network = readNetworkFile(join(folder, '..', 'network.json'))
const replica = await createReplica({
  network,
  identity: folder,
  dataDir: join(folder, 'data'),
  // The first member issues the money.
  stateMachine: defineLedger(network.epoch.members[0]!.linkKey),
})

const underWay = new Set<Promise<void>>()
let commands = 0

function take(line: string): void {
  const command = ++commands
  const answered = answer(line.trim().split(/\s+/)).then((said) => {
    process.stdout.write(`${JSON.stringify({ command, ...said })}\n`)
    underWay.delete(answered)
  })
  underWay.add(answered)
}

async function answer(words: readonly string[]): Promise<Answer> {
  try {
    if (words[0] === 'status') return status()
    const query = queryOf(words)
    // From the organisation's own copy: it has all that the organisation was answered, and may not have the others' latest yet.
    if (query !== null) return { kind: 'result', ...(await replica.query(query, { consistency: 'local' })) }
    const command = commandOf(words)
    if (command === null) return { kind: 'misunderstood', message: `say ${usage}` }
    const { result, height } = await replica.submit(command)
    return { kind: 'result', result, height }
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error
    return { kind: 'failed', code: error.code, certainty: error.certainty, message: error.message }
  }
}

function status(): Answer {
  const { leader, headerHeight, executedHeader } = replica.status()
  return { kind: 'status', leader, height: headerHeight, header: executedHeader }
}

function commandOf([kind, ...words]: readonly string[]): LedgerCommand | null {
  const [first = '', second = '', third] = words
  if (kind === 'open' && words.length === 1) return { kind, account: first }
  if (kind === 'deposit' && words.length === 2) return { kind, account: first, amount: Number(second) }
  if (kind === 'transfer' && words.length === 3) return { kind, from: first, to: second, amount: Number(third) }
  return null
}

function queryOf([kind, ...words]: readonly string[]): LedgerQuery | null {
  if (kind === 'balance' && words.length === 1) return { kind, account: words[0]! }
  return (kind === 'accounts' || kind === 'total') && words.length === 0 ? { kind } : null
}

for (const line of given) take(line)
const input = createInterface({ input: process.stdin }).on('line', take)
const close = (): void => void replica.close()
input.on('close', () => void Promise.allSettled(underWay).then(close))
process.on('SIGINT', close).on('SIGTERM', close)
// Nobody listens any more.
process.stdout.on('error', close)
try {
  await replica.closed
} finally {
  input.close()
}
