// The rules of the example's ledger, without a network: who may do what, and that no money comes from nowhere.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountsMax, defineLedger, type LedgerCommand, type LedgerResult } from '../../examples/ledger/ledger.ts'
import { createRandom } from '../../src/kernel/random.ts'

const [issuer, bank, stranger] = [key(1), key(2), key(3)]
const ledger = defineLedger(issuer)

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte)
}

function create() {
  const machine = ledger.create()
  const read = (bytes: Uint8Array): LedgerResult => {
    const decoded = ledger.result.decode(bytes)
    if (!decoded.ok) throw new Error(decoded.reason)
    return decoded.value
  }
  return {
    machine,
    as: (client: Uint8Array, command: LedgerCommand): LedgerResult =>
      read(
        machine.apply(ledger.command.encode(command), {
          height: 1,
          timestamp: 0,
          index: 0,
          client,
          random: createRandom('ledger'),
        }),
      ),
    ask: (query: Parameters<typeof ledger.query.encode>[0]): LedgerResult =>
      read(machine.query(ledger.query.encode(query))),
  }
}

/** Two accounts of the bank's, the first with 100. */
function funded() {
  const books = create()
  books.as(bank, { kind: 'open', account: 'a' })
  books.as(bank, { kind: 'open', account: 'b' })
  books.as(issuer, { kind: 'deposit', account: 'a', amount: 100 })
  return books
}

/** As if from a snapshot; all accounts are the bank's. */
function restored(issued: number, balances: Readonly<Record<string, number>>) {
  const owner = '02'.repeat(32)
  const accounts = Object.entries(balances).map(([name, balance]) => [name, { owner, balance }])
  const books = create()
  books.machine.restore([{ id: 'part/0000', bytes: new TextEncoder().encode(JSON.stringify({ issued, accounts })) }])
  return books
}

const refused = (reason: string): unknown => ({ kind: 'refused', reason })

describe('the ledger', () => {
  it('moves money from an account of its owner to another', () => {
    const books = funded()
    expect(books.as(bank, { kind: 'transfer', from: 'a', to: 'b', amount: 30 })).toEqual({ kind: 'done', balance: 70 })
    expect(books.ask({ kind: 'balance', account: 'b' })).toEqual({ kind: 'balance', balance: 30 })
    expect(books.ask({ kind: 'total' })).toEqual({ kind: 'total', issued: 100, held: 100, lowest: 0, accounts: 2 })
  })

  it.each<[string, Uint8Array, LedgerCommand]>([
    ['account-exists', stranger, { kind: 'open', account: 'a' }],
    ['not-the-issuer', bank, { kind: 'deposit', account: 'a', amount: 1 }],
    ['no-such-account', issuer, { kind: 'deposit', account: 'c', amount: 1 }],
    ['too-much-issued', issuer, { kind: 'deposit', account: 'a', amount: Number.MAX_SAFE_INTEGER }],
    ['no-such-account', bank, { kind: 'transfer', from: 'a', to: 'c', amount: 1 }],
    ['no-such-account', bank, { kind: 'transfer', from: 'c', to: 'a', amount: 1 }],
    ['not-yours', stranger, { kind: 'transfer', from: 'a', to: 'b', amount: 1 }],
    ['not-yours', issuer, { kind: 'transfer', from: 'a', to: 'b', amount: 1 }],
    ['same-account', bank, { kind: 'transfer', from: 'a', to: 'a', amount: 1 }],
    ['insufficient-funds', bank, { kind: 'transfer', from: 'a', to: 'b', amount: 101 }],
  ])('refuses, as a result that changes nothing: %s', (reason, client, command) => {
    const books = funded()
    expect(books.as(client, command)).toEqual(refused(reason))
    expect(books.ask({ kind: 'accounts' })).toEqual({
      kind: 'accounts',
      balances: [
        ['a', 100],
        ['b', 0],
      ],
    })
  })

  it('refuses a query about an account that is not there', () => {
    expect(create().ask({ kind: 'balance', account: 'a' })).toEqual(refused('no-such-account'))
  })

  it('has room for so many accounts, and lists them in one result', () => {
    const books = create()
    const name = (number: number): string => String(number).padStart(64, '0')
    for (let number = 0; number < accountsMax; number++) books.as(bank, { kind: 'open', account: name(number) })
    expect(books.as(bank, { kind: 'open', account: 'one-more' })).toEqual(refused('ledger-full'))
    expect(books.ask({ kind: 'accounts' })).toHaveProperty('balances.length', accountsMax)
  })

  it.each([
    { kind: 'open' },
    { kind: 'open', account: 'A' },
    { kind: 'open', account: 'a', amount: 1 },
    { kind: 'deposit', account: 'a', amount: 0.5 },
    { kind: 'transfer', from: 'a', to: 'b', amount: -1 },
    { kind: 'transfer', from: 'a', to: 'b', amount: 0 },
    { kind: 'constructor' },
    ['open'],
    null,
  ])('takes no command of another shape: %j', (value) => {
    expect(ledger.validate(new TextEncoder().encode(JSON.stringify(value)))).not.toBeNull()
  })

  it('goes on from a snapshot as the one that it was taken of', () => {
    const books = funded()
    const copy = create()
    copy.machine.restore(Array.from(books.machine.snapshot(), (chunk) => ({ id: chunk.id, bytes: chunk.bytes() })))
    expect(copy.ask({ kind: 'accounts' })).toEqual(books.ask({ kind: 'accounts' }))
    expect(copy.as(stranger, { kind: 'transfer', from: 'a', to: 'b', amount: 1 })).toEqual(refused('not-yours'))
    expect(copy.as(issuer, { kind: 'deposit', account: 'b', amount: 5 })).toEqual({ kind: 'done', balance: 5 })
  })

  it('has one snapshot for one state, in whatever order it came to be', () => {
    const bytes = (...names: string[]): string => {
      const books = create()
      for (const account of names) books.as(bank, { kind: 'open', account })
      return Array.from(books.machine.snapshot(), (chunk) => new TextDecoder().decode(chunk.bytes())).join('')
    }
    expect(bytes('a', 'b', 'c')).toBe(bytes('c', 'a', 'b'))
  })

  it.each<[string, number, Record<string, number>]>([
    ['hold 6, and 5 was issued', 5, { a: 6 }],
    ['an account holds -1', 0, { a: -1, b: 1 }],
  ])('refuses a snapshot whose books do not balance: %s', (message, issued, balances) => {
    expect(() => restored(issued, balances)).toThrow(message)
  })

  it('answers nothing when its books no longer balance', () => {
    // Beyond safe integers sums depend on their order: one that nothing else would notice.
    const books = restored(2 ** 53, { a: 2 ** 53, b: 1, c: 1 })
    expect(() => books.as(bank, { kind: 'transfer', from: 'c', to: 'b', amount: 1 })).toThrow('was issued')
  })

  it('holds what was issued, whatever is asked of it', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd')
    const amount = fc.integer({ min: 1, max: 200 })
    const command = fc.oneof<fc.Arbitrary<LedgerCommand>[]>(
      fc.record({ kind: fc.constant('open' as const), account: name }),
      fc.record({ kind: fc.constant('deposit' as const), account: name, amount }),
      fc.record({ kind: fc.constant('transfer' as const), from: name, to: name, amount }),
    )
    const step = fc.tuple(fc.constantFrom(issuer, bank, stranger), command)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const books = create()
        let issued = 0
        for (const [client, one] of steps) {
          const result = books.as(client, one)
          if (one.kind === 'deposit' && result.kind === 'done') issued += one.amount
        }
        const total = books.ask({ kind: 'total' })
        expect(total).toMatchObject({ issued, held: issued, lowest: 0 })
      }),
    )
  })
})
