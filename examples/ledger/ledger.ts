// The ledger of a consortium, as a state machine: accounts with an owner and a balance, money that one of the members issues.
//
// What the business refuses is a result, agreed on like any other. What must never be is an error: a replica whose books do not
// balance stops, before it tells anybody what it computed.

import {
  defineStateMachine,
  jsonCodec,
  simpleSnapshot,
  type ApplyContext,
  type StateMachine,
  type StateMachineDefinition,
} from '../../src/index.ts'
import { hasOneOf, isAccountName, isAmount } from './shapes.ts'

export type LedgerCommand =
  /** The account belongs to whoever opens it. */
  | { kind: 'open'; account: string }
  /** New money; the issuer's alone. */
  | { kind: 'deposit'; account: string; amount: number }
  /** From an account of one's own to any other. */
  | { kind: 'transfer'; from: string; to: string; amount: number }

export type LedgerQuery = { kind: 'balance'; account: string } | { kind: 'accounts' } | { kind: 'total' }

export type LedgerResult =
  /** The balance of the account that was opened, filled, or taken from. */
  | { kind: 'done'; balance: number }
  | { kind: 'refused'; reason: LedgerRefusal }
  | { kind: 'balance'; balance: number }
  /** By name, ascending. */
  | { kind: 'accounts'; balances: [account: string, balance: number][] }
  | { kind: 'total'; issued: number; held: number; lowest: number; accounts: number }

export type LedgerRefusal =
  | 'account-exists'
  | 'no-such-account'
  | 'not-yours' // the account belongs to another member
  | 'not-the-issuer'
  | 'same-account'
  | 'insufficient-funds'
  | 'too-much-issued' // more than a safe integer counts
  | 'ledger-full'

interface Account {
  /** The key of its owner, hexadecimal. */
  owner: string
  balance: number
}

/** As many as a list of all of them, which is one result, has room for. */
export const accountsMax = 5_000

/** All members name the same issuer: they take its key from the network file, which all of them have signed. */
export function defineLedger(issuer: Uint8Array): StateMachineDefinition<LedgerCommand, LedgerQuery, LedgerResult> {
  return defineStateMachine({
    name: 'ledger',
    version: 1,
    command: jsonCodec<LedgerCommand>({ check: isCommand }),
    query: jsonCodec<LedgerQuery>({ check: isQuery }),
    result: jsonCodec<LedgerResult>(),
    create: () => new Ledger(hexadecimal(issuer)),
  })
}

class Ledger implements StateMachine<LedgerCommand, LedgerQuery, LedgerResult> {
  readonly snapshot: StateMachine<LedgerCommand, LedgerQuery, LedgerResult>['snapshot']
  readonly restore: StateMachine<LedgerCommand, LedgerQuery, LedgerResult>['restore']
  readonly #issuer: string
  readonly #accounts = new Map<string, Account>()
  #issued = 0

  constructor(issuer: string) {
    this.#issuer = issuer
    const { snapshot, restore } = simpleSnapshot(
      () => new TextEncoder().encode(JSON.stringify({ issued: this.#issued, accounts: this.#sorted() })),
      (bytes) => this.#read(new TextDecoder().decode(bytes)),
    )
    this.snapshot = snapshot
    this.restore = restore
  }

  apply(command: LedgerCommand, { client }: ApplyContext): LedgerResult {
    const result = this.#execute(command, hexadecimal(client))
    this.#requireBalance()
    return result
  }

  query(query: LedgerQuery): LedgerResult {
    switch (query.kind) {
      case 'balance': {
        const account = this.#accounts.get(query.account)
        return account === undefined ? refused('no-such-account') : { kind: 'balance', balance: account.balance }
      }
      case 'accounts':
        return { kind: 'accounts', balances: this.#sorted().map(([name, { balance }]) => [name, balance]) }
      case 'total':
        return { kind: 'total', issued: this.#issued, accounts: this.#accounts.size, ...this.#sums() }
    }
  }

  #execute(command: LedgerCommand, client: string): LedgerResult {
    switch (command.kind) {
      case 'open':
        return this.#open(command.account, client)
      case 'deposit':
        return this.#deposit(command.account, command.amount, client)
      case 'transfer':
        return this.#transfer(command.from, command.to, command.amount, client)
    }
  }

  #open(name: string, client: string): LedgerResult {
    if (this.#accounts.has(name)) return refused('account-exists')
    if (this.#accounts.size >= accountsMax) return refused('ledger-full')
    this.#accounts.set(name, { owner: client, balance: 0 })
    return { kind: 'done', balance: 0 }
  }

  #deposit(name: string, amount: number, client: string): LedgerResult {
    if (client !== this.#issuer) return refused('not-the-issuer')
    const account = this.#accounts.get(name)
    if (account === undefined) return refused('no-such-account')
    if (!Number.isSafeInteger(this.#issued + amount)) return refused('too-much-issued')
    this.#issued += amount
    account.balance += amount
    return { kind: 'done', balance: account.balance }
  }

  #transfer(from: string, to: string, amount: number, client: string): LedgerResult {
    const [source, target] = [this.#accounts.get(from), this.#accounts.get(to)]
    if (source === undefined || target === undefined) return refused('no-such-account')
    if (source.owner !== client) return refused('not-yours')
    if (source === target) return refused('same-account')
    if (source.balance < amount) return refused('insufficient-funds')
    source.balance -= amount
    target.balance += amount
    return { kind: 'done', balance: source.balance }
  }

  /** Adds up everything, each time: what it guards is not trusted to add up itself. */
  #requireBalance(): void {
    const { held, lowest } = this.#sums()
    if (held !== this.#issued) throw new Error(`the accounts hold ${held}, and ${this.#issued} was issued`)
    if (lowest < 0) throw new Error(`an account holds ${lowest}`)
  }

  #sums(): { held: number; lowest: number } {
    let [held, lowest] = [0, 0]
    for (const { balance } of this.#accounts.values()) {
      held += balance
      lowest = Math.min(lowest, balance)
    }
    return { held, lowest }
  }

  /** A map keeps the order in which it was filled, and a state must not depend on that. */
  #sorted(): [string, Account][] {
    return [...this.#accounts].sort(([left], [right]) => (left < right ? -1 : 1))
  }

  #read(text: string): void {
    const { issued, accounts } = JSON.parse(text) as { issued: number; accounts: [string, Account][] }
    this.#issued = issued
    for (const [name, account] of accounts) this.#accounts.set(name, account)
    this.#requireBalance()
  }
}

function refused(reason: LedgerRefusal): LedgerResult {
  return { kind: 'refused', reason }
}

function hexadecimal(key: Uint8Array): string {
  return Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** What a stranger may have sent: any JSON. A command of another shape is refused before anybody votes on it. */
function isCommand(value: unknown): value is LedgerCommand {
  return hasOneOf(value, {
    open: { account: isAccountName },
    deposit: { account: isAccountName, amount: isAmount },
    transfer: { from: isAccountName, to: isAccountName, amount: isAmount },
  })
}

function isQuery(value: unknown): value is LedgerQuery {
  return hasOneOf(value, { balance: { account: isAccountName }, accounts: {}, total: {} })
}
