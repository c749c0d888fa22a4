/**
 * One network, killed again and again under load. After each kill it serves again, a linearizable read sees everything that was
 * acknowledged, clients' history is linearizable with its positions, every incarnation is above the one before, no replica refuses its
 * log, and no two have executed different blocks at one height.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalNetwork, type LocalNetwork } from '../../../src/cli/setup/local-network.ts'
import { readKeyFile } from '../../../src/crypto/node/key-file.ts'
import type { ReplicaId } from '../../../src/kernel/ids.ts'
import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { judge, Load } from '../load.ts'
import { Mains } from './mains.ts'
import { membersInFile, powerLossNetwork, type PowerLossShape } from './network.ts'
import { renewableClient, type RenewableClient } from './renewable-client.ts'
import { addCounts, emptyReport, sum, type KillReport, type PowerLossReport } from './report.ts'

export interface BatchOptions {
  /** Of one replica: replica-process.ts. */
  program: string
  shape: PowerLossShape
  kills: number
  seed: string
  onKill?: (kill: KillReport) => void
  /** Ends the batch early, with everything cleaned up. */
  signal?: AbortSignal
}

/** Service is back within this time: many capped election timeouts, and a busy machine. */
const servedMsMax = 10_000
const loadBeforeKillMsMax = 150
const recoveryMsMax = 15
const clientsTotal = 3
/** Keys that are read again after each kill. */
const witnessedMax = 12

export async function runBatch(options: BatchOptions): Promise<PowerLossReport> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-power-'))
  const dir = join(folder, 'network')
  const { protocol } = options.shape
  const setup = { dir, name: 'power', protocol, replicas: membersInFile(options.shape), host: '127.0.0.1' }
  let batch: Batch | null = null
  try {
    batch = new Batch(options, await createLocalNetwork(setup))
    return await batch.run()
  } finally {
    await batch?.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

class Batch {
  readonly #options: BatchOptions
  readonly #random: Random
  readonly #mains: Mains
  readonly #renewables: RenewableClient[] = []
  readonly #load: Load
  readonly #report = emptyReport()
  /** By height: who said first what stands there. */
  readonly #headers = new Map<number, { id: number; header: string }>()
  #leader: number | null = null
  #starts = 0
  #witnessed = 0
  #loadEnded = false

  constructor(options: BatchOptions, local: LocalNetwork) {
    this.#options = options
    this.#random = createRandom(`power-loss ${options.seed}`)
    this.#mains = new Mains(options.program, local, options.shape.replicas)
    const network = powerLossNetwork(local.network, options.shape.replicas)
    const key = readKeyFile(local.clientKeyPath, 'client')
    if (!key.ok) throw new Error(key.message)
    this.#load = new Load({
      network,
      secretKeys: Array.from({ length: clientsTotal }, () => key.pair.secretKey),
      loopsPerClient: 4,
      keys: 60,
      seed: `load ${options.seed}`,
      pauseMs: 4,
      operationsMax: 200_000,
      deadlineMs: 2 * servedMsMax,
      clientOf: (secretKey) => {
        const renewable = renewableClient(network, secretKey)
        this.#renewables.push(renewable)
        return renewable.client
      },
    })
  }

  async run(): Promise<PowerLossReport> {
    const startedMs = performance.now()
    try {
      await this.#killAll()
    } catch (error) {
      // Whatever a replica said is nearer to the cause than that it was not heard any more.
      const message = error instanceof Error ? error.message : String(error)
      this.#report.problem ??= this.#mains.problems[0] ?? message
    }
    this.#report.acknowledged = this.#load.completed
    this.#report.unknown = this.#load.unknown
    this.#report.elapsedMs = Math.round(performance.now() - startedMs)
    return this.#report
  }

  async end(): Promise<void> {
    await this.#mains.off()
    if (!this.#loadEnded) await this.#closeLoad()
  }

  async #killAll(): Promise<void> {
    const { kills, signal } = this.#options
    await this.#powerOn(this.#mains.ids)
    this.#load.start()
    await this.#serving()
    for (let kill = 1; kill <= kills; kill++) {
      signal?.throwIfAborted()
      await this.#kill(kill)
    }
    await this.#serving()
    await this.#settled()
    await this.#closeLoad()
    this.#require(judge(this.#load.recorder.history()))
    addCounts(this.#report, await this.#mains.cut(this.#mains.ids))
  }

  async #kill(kill: number): Promise<void> {
    const random = this.#random
    // The one before was under load and is over, or this one hits its recovery.
    const moment = kill > 1 && random.chance(1, 4) ? 'recovery' : 'load'
    if (moment === 'recovery') await sleep(random.below(recoveryMsMax))
    else {
      await this.#serving()
      await sleep(random.below(loadBeforeKillMsMax))
    }
    const cut = moment === 'recovery' ? this.#mains.ids : this.#victims()
    const counts = await this.#mains.cut(cut)
    const late =
      cut.length > 1 && cut.length === this.#mains.ids.length && random.chance(1, 2) ? this.#lateOne(cut) : null
    this.#count(kill, moment, cut, late, counts)
    await this.#powerOn(cut.filter((id) => id !== late))
    if (late === null) return
    await this.#serving()
    await this.#powerOn([late])
  }

  /** Mostly who led: the others elect one of themselves, and what only he had on disk is missed. */
  #lateOne(cut: readonly number[]): number {
    const leader = this.#leader
    return leader !== null && this.#random.chance(2, 3) ? leader : this.#random.pick(cut)
  }

  #victims(): number[] {
    const ids = this.#mains.ids
    if (ids.length === 1 || this.#random.chance(7, 10)) return ids
    const first = this.#random.pick(ids)
    const others = ids.filter((id) => id !== first)
    return this.#random.chance(1, 2) ? [first] : [first, this.#random.pick(others)]
  }

  #count(
    kill: number,
    moment: KillReport['moment'],
    cut: number[],
    late: number | null,
    counts: Awaited<ReturnType<Mains['cut']>>,
  ): void {
    const report = this.#report
    const lostWrites = sum(counts, 'unsyncedWrites')
    const lostBytes = sum(counts, 'unsyncedBytes')
    const lostNames = sum(counts, 'unsyncedNames')
    addCounts(report, counts)
    report.kills++
    if (moment === 'recovery') report.killsInRecovery++
    report.processesKilled += counts.length
    report.lostWrites += lostWrites
    report.lostBytes += lostBytes
    report.lostNames += lostNames
    const { completed: acknowledged } = this.#load
    this.#options.onKill?.({ kill, moment, cut, late, lostWrites, lostBytes, lostNames, acknowledged })
  }

  async #powerOn(ids: readonly number[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#mains.powerOn(id, `${this.#options.seed}/${++this.#starts}`)))
  }

  /** Those that have power serve, and know everything that was acknowledged. */
  async #serving(): Promise<void> {
    await Promise.all(this.#mains.on.map((id) => this.#mains.ready(id)))
    this.#require(this.#mains.problems[0] ?? null)
    for (const { renew } of this.#renewables) renew()
    await this.#requireSeen()
    await this.#load.served(servedMsMax)
    this.#mains.prepare()
    this.#require(this.#mains.problems[0] ?? null)
    this.#require(judge(this.#load.recorder.history()))
    await this.#compareHeaders()
  }

  /** The newest of what was acknowledged is read, first of all: the load may stand still where something is lost. */
  async #requireSeen(): Promise<void> {
    const acknowledged = this.#acknowledged()
    const newest = acknowledged.at(-1)?.height ?? 0
    const keys = new Set(acknowledged.slice(-witnessedMax).map(({ key }) => key))
    const heights = await Promise.all([...keys, 'key-0'].map((key) => this.#witness(key)))
    const lowest = Math.min(...heights)
    if (lowest < newest) {
      this.#require(`height ${newest} was acknowledged, and a linearizable read sees height ${lowest}`)
    }
    this.#require(judge(this.#load.recorder.history()))
  }

  /** In the order of their positions. */
  #acknowledged(): { height: number; key: string }[] {
    return this.#load.recorder
      .history()
      .operations.flatMap(({ operation: { key }, outcome }) =>
        outcome.kind === 'ok' && outcome.position?.kind === 'ordered' ? { height: outcome.position.height, key } : [],
      )
      .sort((left, right) => left.height - right.height)
  }

  /** A linearizable read in the history of all. Returns the height that it saw. */
  async #witness(key: string): Promise<number> {
    const { recorder, clients } = this.#load
    const id = ++this.#witnessed
    const nowUs = (): number => performance.now() * 1000
    recorder.invoke(clientsTotal, id, { kind: 'get', key }, nowUs())
    const query = { kind: 'get', key: new TextEncoder().encode(key) } as const
    const { result, height } = await clients[0]!.query(query, { deadlineMs: servedMsMax })
    if (result.kind !== 'value') throw new Error(`a get is answered with ${result.kind}`)
    const value = result.entry === null ? null : new TextDecoder().decode(result.entry.value)
    const outcome = { kind: 'ok', result: { kind: 'value', value }, position: { kind: 'observed', height } } as const
    recorder.complete(clientsTotal, id, outcome, nowUs())
    return height
  }

  async #compareHeaders(): Promise<number[]> {
    const [client] = this.#load.clients
    const asked = this.#mains.on.map((id) => client!.status(id as ReplicaId, { deadlineMs: 1_000 }))
    const heights: number[] = []
    for (const report of await Promise.all(asked)) {
      if (report === null) continue
      const { replica, leader, executedHeight, headerHeight, executedHeader } = JSON.parse(report) as {
        replica: number
        leader: number | null
        executedHeight: number
        headerHeight: number
        executedHeader: string
      }
      heights.push(executedHeight)
      this.#leader = leader ?? this.#leader
      const other = this.#headers.get(headerHeight)
      if (other === undefined) this.#headers.set(headerHeight, { id: replica, header: executedHeader })
      else if (other.header !== executedHeader) {
        this.#require(`replicas ${other.id} and ${replica} have executed different blocks at height ${headerHeight}`)
      }
    }
    return heights
  }

  /** All replicas execute what has been decided, and are compared there. */
  async #settled(): Promise<void> {
    const untilMs = performance.now() + servedMsMax
    const target = Math.max(...(await this.#compareHeaders()))
    for (;;) {
      const heights = await this.#compareHeaders()
      if (heights.length === this.#mains.ids.length && heights.every((height) => height >= target)) return
      if (performance.now() > untilMs) throw new Error(`heights are ${heights.join(', ')}: not all reached ${target}`)
      await sleep(20)
    }
  }

  #require(problem: string | null): void {
    if (problem === null) return
    this.#report.problem ??= problem
    throw new Error(problem)
  }

  /** When a run has failed, nobody waits for what nobody will answer. */
  async #closeLoad(): Promise<void> {
    this.#loadEnded = true
    if (this.#report.problem !== null || this.#mains.on.length === 0) {
      await Promise.all(this.#load.clients.map((client) => client.close()))
    }
    await this.#load.stop()
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
