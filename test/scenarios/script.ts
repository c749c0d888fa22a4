// Scenarios as text: commands, then what came of them. A file is a list of paragraphs; each holds comments, commands, a line of dashes,
// and the trace. Running a file gives its text anew, with the trace as it is now.
//
// Setting up, before `start`:
//   voters N | learners N | lease PER-MILLE | pre-vote off | priorities P P P
//   log REPLICA TERM TERM ... [in TERM]   what its disk holds: the terms of the entries, and the latest term it knows of
//   abstains REPLICA
// Time, messages, disks:
//   start | elect R | elapse MS | pass MS (no timer fires) | fire R TIMER
//   deliver [WHAT] (once) | settle [WHAT] (until nothing moves) | drop [WHAT] | hold [WHAT] | resend (what was held; as often as wanted)
//     WHAT: any of FROM>TO and kinds of messages
//   cut A B | isolate R | heal | crash R | restart R | renew R | hang R | sync R
// What a host does:
//   acknowledge FROM TO INDEX (as an answer to an append that nobody has seen) | propose R WORDS | read R ID | transfer R TO | stable R HEIGHT | restore R HEIGHT
// What is shown:
//   quiet | loud (messages, or only what came of them) | status | logs | count KIND (sent since it was counted last)

import { replicaId } from '../../src/kernel/ids.ts'
import {
  Bench,
  emptyLogOf,
  type BenchOptions,
  type ParameterChanges,
  type Replica,
  type Sent,
} from '../protocols/raft/bench.ts'

/** The text of a scenario with its traces as they are now. */
export function runScenario(text: string): string {
  const scenario = new Scenario()
  const paragraphs = text.trim().split(/\n\n+/)
  return `${paragraphs.map((paragraph) => scenario.paragraph(paragraph)).join('\n\n')}\n`
}

const dashes = '----'

class Scenario {
  readonly #options: BenchOptions = {}
  readonly #raft: NonNullable<ParameterChanges['raft']> = {}
  readonly #before: ((bench: Bench) => void)[] = []
  #bench: Bench | null = null
  #held: Sent[] = []
  #quiet = false
  #trace: string[] = []
  readonly #counted = new Map<string, number>()

  paragraph(paragraph: string): string {
    const lines = paragraph.split('\n')
    const end = lines.indexOf(dashes)
    const commands = end < 0 ? lines : lines.slice(0, end)
    this.#trace = []
    for (const line of commands) {
      if (line.startsWith('#')) continue
      try {
        this.#run(line.trim().split(/ +/))
      } catch (error) {
        throw new Error(`${line}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
    }
    if (commands.every((line) => line.startsWith('#'))) return commands.join('\n')
    const trace = this.#trace.length === 0 ? ['nothing to tell'] : folded(this.#trace)
    return [...commands, dashes, ...trace].join('\n')
  }

  get #started(): Bench {
    if (this.#bench === null) throw new Error('comes before start')
    return this.#bench
  }

  #replica(id: string | undefined): Replica {
    return this.#started.replica(Number(id))
  }

  #run([command, ...words]: string[]): void {
    if (this.#bench === null ? this.#prepare(command!, words) : this.#act(command!, words)) return
    throw new Error('no such command here')
  }

  #prepare(command: string, words: string[]): boolean {
    const [first, ...rest] = words
    switch (command) {
      case 'voters':
      case 'learners':
        this.#options[command] = Number(first)
        return true
      case 'lease':
        this.#raft.leaseDriftPerMille = Number(first)
        return true
      case 'pre-vote':
        this.#raft.preVote = first !== 'off'
        return true
      case 'priorities':
        this.#options.priorities = words.map(Number)
        return true
      case 'log':
        this.#before.push((bench) => giveLog(bench, Number(first), rest))
        return true
      case 'abstains':
        this.#before.push((bench) => void (bench.replica(Number(first)).abstains = true))
        return true
      case 'start':
        this.#start()
        return true
    }
    return false
  }

  #start(): void {
    const bench = new Bench({ ...this.#options, parameters: { raft: this.#raft } })
    for (const prepare of this.#before) prepare(bench)
    bench.trace = (tell) => {
      const line = tell()
      if (!this.#quiet || !/^\d+>\d+ /.test(line)) this.#trace.push(line)
    }
    this.#bench = bench.start()
  }

  #act(command: string, words: string[]): boolean {
    return (
      this.#moveTime(command, words) ||
      this.#moveMessages(command, words) ||
      this.#moveReplicas(command, words) ||
      this.#show(command, words)
    )
  }

  #moveTime(command: string, [first, second]: string[]): boolean {
    const bench = this.#started
    switch (command) {
      case 'elect':
        bench.elect(Number(first))
        return true
      case 'elapse':
        bench.elapse(Number(first))
        return true
      case 'pass':
        bench.nowMs += Number(first)
        return true
      case 'fire':
        this.#replica(first).fireWhenDue(second!)
        return true
    }
    return false
  }

  #moveMessages(command: string, words: string[]): boolean {
    const bench = this.#started
    const matches = matching(words)
    switch (command) {
      case 'deliver':
        bench.deliver(matches)
        return true
      case 'settle':
        bench.settle(matches)
        return true
      case 'drop':
        bench.take(matches)
        return true
      case 'hold':
        this.#held = bench.take(matches)
        this.#trace.push(`held: ${this.#held.length}`)
        return true
      case 'resend':
        for (const { from, to, message } of this.#held) bench.replica(to).receive(from, message)
        return true
      case 'acknowledge': {
        const [from, to, matchIndex] = words.map(Number)
        const { view: term } = bench.replica(to!).status
        bench.replica(to!).receive(replicaId(from!), { kind: 'append-answer', term, round: 0, matchIndex: matchIndex! })
        return true
      }
      case 'cut':
        bench.cut(Number(words[0]), Number(words[1]))
        return true
      case 'isolate':
        bench.isolate(Number(words[0]))
        return true
      case 'heal':
        bench.heal()
        return true
    }
    return false
  }

  #moveReplicas(command: string, [first, ...rest]: string[]): boolean {
    const operand = Number(rest[0])
    const transfer = { kind: 'transfer-leadership', to: Number.isNaN(operand) ? null : replicaId(operand) } as const
    const actions: Record<string, (replica: Replica) => void> = {
      crash: (replica) => replica.crash(),
      restart: (replica) => replica.start(),
      renew: (replica) => replica.renew(),
      hang: (replica) => void (replica.autoSync = false),
      sync: (replica) => {
        replica.autoSync = true
        replica.sync()
      },
      propose: (replica) => replica.propose(...rest),
      read: (replica) => replica.step({ kind: 'read', id: operand }),
      transfer: (replica) => replica.step({ kind: 'command', command: transfer }),
      stable: (replica) => replica.stable(operand),
      restore: (replica) => replica.restore(operand),
    }
    actions[command]?.(this.#replica(first))
    return command in actions
  }

  #show(command: string, [kind]: string[]): boolean {
    const bench = this.#started
    switch (command) {
      case 'quiet':
      case 'loud':
        this.#quiet = command === 'quiet'
        return true
      case 'status':
        for (const replica of bench.replicas) this.#trace.push(statusLine(replica))
        return true
      case 'logs':
        for (const { id, log } of bench.replicas)
          this.#trace.push(
            `${id} has ${log.map((entry) => `${entry.block.header.height}:${entry.term}`).join(' ') || 'nothing'}`,
          )
        return true
      case 'count': {
        const sent = bench.sent.filter(({ message }) => message.kind === kind).length
        this.#trace.push(`${kind}: ${sent - (this.#counted.get(kind!) ?? 0)}`)
        this.#counted.set(kind!, sent)
        return true
      }
    }
    return false
  }
}

function giveLog(bench: Bench, id: number, words: readonly string[]): void {
  const [terms, latest] = words.join(' ').split(' in ')
  const log = emptyLogOf(terms!.split(' ').map(Number))
  bench.givenLog(id, log, Number(latest ?? log.at(-1)!.term))
}

/** What repeats itself is said once. */
function folded(trace: readonly string[]): string[] {
  const lines: string[] = []
  for (let at = 0; at < trace.length;) {
    const line = trace[at]!
    let end = at + 1
    while (trace[end] === line) end++
    const decided = /^(\d+) decides (\d+) \[\]$/.exec(line)
    if (decided !== null) while (trace[end] === `${decided[1]} decides ${Number(decided[2]) + end - at} []`) end++
    if (end === at + 1) lines.push(line)
    else if (decided === null) lines.push(`${line} (${end - at} times)`)
    else lines.push(`${decided[1]} decides ${decided[2]} to ${Number(decided[2]) + end - at - 1} []`)
    at = end
  }
  return lines
}

function statusLine(replica: Replica): string {
  if (!replica.isUp) return `${replica.id} is down`
  const { role, view, leader, decidedHeight } = replica.status
  const hears = leader === null || leader === replica.id ? '' : ` of ${leader}`
  return `${replica.id} ${role.split(':')[0]}${hears}, term ${view}, decided ${decidedHeight}`
}

/** `1>2` names sender and receiver, anything else a kind of message. */
function matching(words: readonly string[]): (sent: Sent) => boolean {
  const ways = words.filter((word) => word.includes('>'))
  const kinds = words.filter((word) => !word.includes('>'))
  return ({ from, to, message }) =>
    (ways.length === 0 || ways.some((way) => [`${from}>${to}`, `${from}>`, `>${to}`].includes(way))) &&
    (kinds.length === 0 || kinds.includes(message.kind))
}
