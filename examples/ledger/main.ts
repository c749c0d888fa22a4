// A consortium of three organisations on this machine: each a process with a replica, all of them moving money at once. The one that
// leads is killed in the middle of it and started again; in the end all three have the same books, and the books balance.
// Run it: npm run example:ledger

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalNetwork, replicaFolder } from '../../src/cli/setup/local-network.ts'
import type { LedgerResult } from './ledger.ts'
import { OrganisationProcess, type Asked } from './organisation-process.ts'

const issuedToEach = 10_000
const amountMax = 50
const transfersAtOnce = 4
/** Of all organisations together before the kill, without the one that is killed, and by that one when it is back. */
const transfersPerAct = 150
const patienceMs = 60_000

interface Tally {
  done: number
  refused: number
  /** Asked of a process that was killed: some happened, and all agree which. */
  unknown: number
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + patienceMs
  while (!(await holds())) {
    if (stop.signal.aborted) throw new Error('interrupted')
    if (performance.now() > endMs) throw new Error(`waited ${patienceMs} ms in vain until ${what}`)
    await pause(20)
  }
}

/** The result, where nothing else will do. */
async function result(organisation: OrganisationProcess, line: string): Promise<LedgerResult> {
  const answer = await organisation.ask(line)
  if (answer.kind === 'result') return answer.result
  throw new Error(`${organisation.name} was asked to ${line}, and said ${JSON.stringify(answer)}`)
}

async function done(organisation: OrganisationProcess, line: string): Promise<void> {
  const { kind } = await result(organisation, line)
  if (kind !== 'done') throw new Error(`${organisation.name} was to ${line}, and it was ${kind}`)
}

async function showRefusal(organisation: OrganisationProcess, line: string): Promise<void> {
  const answer = await result(organisation, line)
  if (answer.kind !== 'refused') throw new Error(`${organisation.name} was not to ${line}`)
  say(`  ${organisation.name} asks to ${line}: refused, ${answer.reason}`)
}

function accountsOf(organisation: OrganisationProcess): [string, string] {
  return [`${organisation.name}/cash`, `${organisation.name}/reserve`]
}

async function openAccounts(organisations: readonly OrganisationProcess[]): Promise<void> {
  for (const organisation of organisations) {
    for (const account of accountsOf(organisation)) await done(organisation, `open ${account}`)
  }
  const [issuer, second, third] = organisations as [OrganisationProcess, OrganisationProcess, OrganisationProcess]
  for (const organisation of organisations) await done(issuer, `deposit ${accountsOf(organisation)[0]} ${issuedToEach}`)
  say(`${issuer.name} has issued ${issuedToEach} to each. What the rules forbid is refused, and all agree on that:`)
  await showRefusal(second, `deposit ${accountsOf(second)[0]} 1`)
  await showRefusal(third, `transfer ${accountsOf(second)[0]} ${accountsOf(third)[0]} 1`)
  await showRefusal(third, `transfer ${accountsOf(third)[0]} ${accountsOf(second)[0]} ${issuedToEach + 1}`)
}

/** Several transfers at a time, from accounts of its own to any, until it is told to end or is gone. */
function transferring(
  organisation: OrganisationProcess,
  organisations: readonly OrganisationProcess[],
  tally: Tally,
  isOver: () => boolean,
): Promise<unknown> {
  const all = organisations.flatMap(accountsOf)
  const below = (limit: number): number => Math.floor(Math.random() * limit)
  const pick = (accounts: readonly string[]): string => accounts[below(accounts.length)]!
  const loop = async (): Promise<void> => {
    while (!isOver()) {
      const from = pick(accountsOf(organisation))
      const to = pick(all.filter((account) => account !== from))
      const answer = await organisation.ask(`transfer ${from} ${to} ${1 + below(amountMax)}`)
      count(answer, tally)
      if (answer.kind === 'gone') return
      // People take their time.
      await pause(5)
    }
  }
  return Promise.all(Array.from({ length: transfersAtOnce }, loop))
}

function count(answer: Asked, tally: Tally): void {
  if (answer.kind === 'result' && answer.result.kind === 'done') tally.done++
  else if (answer.kind === 'result') tally.refused++
  else if (answer.kind === 'failed' && answer.certainty === 'definite') tally.refused++
  else tally.unknown++
}

async function leaderOf(organisations: readonly OrganisationProcess[]): Promise<OrganisationProcess> {
  let found: OrganisationProcess | undefined
  await until('somebody leads', async () => {
    const answer = await organisations[0]!.ask('status')
    found = organisations.find(({ id }) => answer.kind === 'status' && id === answer.leader)
    return found !== undefined
  })
  return found!
}

async function moveMoney(organisations: readonly OrganisationProcess[]): Promise<void> {
  const tallies = new Map(organisations.map(({ id }) => [id, { done: 0, refused: 0, unknown: 0 }]))
  const sum = (name: keyof Tally): number => [...tallies.values()].reduce((whole, tally) => whole + tally[name], 0)
  let over = false
  const begin = (organisation: OrganisationProcess): Promise<unknown> =>
    transferring(organisation, organisations, tallies.get(organisation.id)!, () => over)
  const running = organisations.map(begin)
  await until('all have moved money', () => sum('done') >= transfersPerAct)

  const victim = await leaderOf(organisations)
  await victim.kill()
  const before = sum('done')
  say(`After ${before} transfers, ${victim.name}, which leads, is killed outright. The others go on:`)
  await until('the others go on', () => sum('done') >= before + transfersPerAct)
  say(`  ${sum('done') - before} transfers without ${victim.name}`)

  const ownBefore = tallies.get(victim.id)!.done
  victim.start()
  running.push(begin(victim))
  await until(`${victim.name} takes part again`, () => tallies.get(victim.id)!.done >= ownBefore + transfersPerAct / 3)
  say(
    `  ${victim.name} is back, has learnt what it missed, and has made ${tallies.get(victim.id)!.done - ownBefore} more`,
  )
  over = true
  await Promise.all(running)
  say(`${sum('done')} transfers done, ${sum('refused')} refused, ${sum('unknown')} died with ${victim.name}.`)
}

interface Books {
  height: number
  /** Names the whole order up to the height, with all results. */
  header: string
  accounts: LedgerResult
  total: LedgerResult
}

/** What an organisation's own copy says, if it stood still meanwhile. */
async function booksOf(organisation: OrganisationProcess): Promise<Books | null> {
  const [status, accounts, total] = await Promise.all(
    ['status', 'accounts', 'total'].map((line) => organisation.ask(line)),
  )
  if (status?.kind !== 'status' || accounts?.kind !== 'result' || total?.kind !== 'result') return null
  const { height, header } = status
  if (accounts.height !== height || total.height !== height) return null
  return { height, header, accounts: accounts.result, total: total.result }
}

async function sameBooks(organisations: readonly OrganisationProcess[]): Promise<Books> {
  let books: (Books | null)[] = []
  await until('all have executed the same height', async () => {
    books = await Promise.all(organisations.map(booksOf))
    return books.every((one) => one !== null && one.height === books[0]!.height)
  })
  if (new Set(books.map((one) => JSON.stringify(one))).size > 1) {
    throw new Error(`the books differ: ${books.map((one) => JSON.stringify(one)).join('\n')}`)
  }
  return books[0]!
}

async function compareBooks(organisations: readonly OrganisationProcess[]): Promise<void> {
  const { height, header, accounts, total } = await sameBooks(organisations)
  if (accounts.kind !== 'accounts' || total.kind !== 'total') throw new Error('these are no books')
  for (const [account, balance] of accounts.balances) say(`  ${account.padEnd(20)}${String(balance).padStart(6)}`)
  const { issued, held, lowest } = total
  const sum = accounts.balances.reduce((whole, [, balance]) => whole + balance, 0)
  if (issued !== organisations.length * issuedToEach || held !== issued || sum !== issued || lowest < 0) {
    throw new Error(`the books do not balance: ${JSON.stringify(total)}`)
  }
  say(`All three agree at height ${height}, header ${header.slice(0, 16)}.`)
  say(`The books balance: ${issued} issued, ${held} held, no account below zero.`)
}

const stop = new AbortController()
const folder = mkdtempSync(join(tmpdir(), 'quorate-ledger-'))
let organisations: OrganisationProcess[] = []
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stop.abort()
    for (const organisation of organisations) void organisation.kill()
  })
}
try {
  const dir = join(folder, 'network')
  const { network } = await createLocalNetwork({
    dir,
    name: 'consortium',
    protocol: 'raft',
    replicas: 3,
    host: '127.0.0.1',
    signal: stop.signal,
  })
  organisations = network.epoch.members.map(({ id, name }) => new OrganisationProcess(id, name, replicaFolder(dir, id)))
  for (const organisation of organisations) organisation.start()
  const processes = organisations.map(({ name, pid }) => `${name} (process ${pid})`).join(', ')
  say(`Three organisations in ${folder}: ${processes}`)
  await openAccounts(organisations)
  await moveMoney(organisations)
  await compareBooks(organisations)
} catch (error) {
  if (stop.signal.aborted) say('Interrupted')
  else process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = stop.signal.aborted ? 130 : 1
} finally {
  await Promise.all(
    organisations.map((organisation) => (stop.signal.aborted ? organisation.kill() : organisation.end())),
  )
  rmSync(folder, { recursive: true, force: true })
}
