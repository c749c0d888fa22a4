/**
 * One seed, one history: a network of replicas and clients in virtual time, first with faults, then with a core of them healed.
 *
 * SAFETY PHASE. Faults come and go while clients work. Invariants are checked at every decision and execution.
 * LIVENESS PHASE. A random sufficient core is healed and all other faults are made permanent; then every operation that a client has
 * under way must complete, and every replica of the core must execute it, within `livenessTimeouts` capped timeouts.
 * At the end the history goes to both checkers.
 */

import { replicaId, type ReplicaId } from '../kernel/ids.ts'
import type { Epoch, Member } from '../kernel/membership.ts'
import { portableHasher } from '../crypto/portable/sha256-hasher.ts'
import { quorum } from '../kernel/quorum.ts'
import { createRandom, type Random } from '../kernel/random.ts'
import type { ExecutedBlock, OpeningReply } from '../execution/executed-block.ts'
import type { Block } from '../kernel/block.ts'
import type { SimulatedApplication } from './application.ts'
import { HistoryRecorder } from './checkers/history.ts'
import type { DecidedOperation } from './checkers/placement.ts'
import { count } from './coverage.ts'
import { DiskAtlas } from './disk-atlas.ts'
import { DiskNemesis } from './disk-nemesis.ts'
import type { Excuse } from './excuses.ts'
import { drawDiskPlan, drawFaultPlan, type DiskPlan, type FaultPlan } from './fault-plan.ts'
import { HistoryHash } from './history-hash.ts'
import { IncarnationMemory } from './incarnation-memory.ts'
import { Invariants } from './invariants.ts'
import { Nemesis } from './nemesis.ts'
import { calmNetwork, clientAddressMin, clientKeyAt, Network, type Address } from './network.ts'
import { Caretaker } from './caretaker.ts'
import type { Coverage, SeedReport, SimulationOptions } from './report.ts'
import {
  drawLeaseDrift,
  drawLoad,
  drawParameters,
  drawPriorities,
  drawRootPace,
  drawSnapshotPace,
  type LoadShape,
} from './run-parameters.ts'
import { Operator } from './operator.ts'
import { raft } from '../protocols/raft/raft.ts'
import type { RaftMessage } from '../protocols/raft/messages.ts'
import type { RaftRecord } from '../protocols/raft/records.ts'
import { isExecuted, sessionOf } from './store-language.ts'
import { storeApplication } from './store-application.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedClient } from './simulated-client.ts'
import { SimulatedReplica } from './simulated-replica.ts'
import { createSimulatedSuite, simulatedHasher } from './simulated-suite.ts'

const safetyUsMin = 2_000_000
const safetyUsMax = 7_000_000
/** New operations of each client that must complete once the core is healed, beside all that were under way. */
const healedOperations = 3
/** The bound on recovery, in capped timeouts (docs/testing.md). */
export const livenessTimeouts = 8
const operationsMax = 20_000
/** One seed in so many uses the real hash; the others a cheap one that is as good inside a run. */
const realHashShare = 100
/** Nothing may go on for ever without virtual time passing. */
const eventsMax = 5_000_000

/** What becomes of a replica that is not healed. */
type Fate = 'crashed' | 'isolated' | 'deaf' | 'mute' | 'full' | 'hanging'

/** Runs one seed. Total: whatever goes wrong in the run is its verdict. */
export function runSeed(options: SimulationOptions): SeedReport {
  return runApplicationSeed(options, storeApplication)
}

/** The same, with another application in the place of the built-in store. */
export function runApplicationSeed<Operation, Result>(
  options: SimulationOptions,
  application: SimulatedApplication<Operation, Result>,
): SeedReport {
  return new Simulation(options, application).run()
}

class Simulation<Operation, Result> {
  readonly #options: SimulationOptions
  readonly #application: SimulatedApplication<Operation, Result>
  readonly #random: Random
  /** Apart, so that what a seed drew before there were paces it draws still. */
  readonly #paces: Random
  readonly #scheduler = new Scheduler()
  readonly #hash = new HistoryHash()
  readonly #coverage: Coverage = {}
  readonly #invariants: Invariants
  readonly #network: Network
  readonly #plan: FaultPlan
  /** A source of its own for all that has to do with faulty disks: nothing else draws differently because of them. */
  readonly #diskRandom: Random
  readonly #diskPlan: DiskPlan | null
  readonly #atlas: DiskAtlas
  readonly #memory: IncarnationMemory | null
  readonly #caretaker: Caretaker
  readonly #load: LoadShape
  readonly #epoch: Epoch
  readonly #replicas: SimulatedReplica<RaftMessage, RaftRecord>[]
  readonly #clients: SimulatedClient<Operation, Result>[]
  readonly #history = new HistoryRecorder<Operation, Result>({ operationsMax })
  /** The first decision of each height. */
  readonly #blocks = new Map<number, Block>()
  readonly #decided: DecidedOperation[] = []
  /** Every key of the run: who has no secret of it cannot sign. */
  readonly #suite = createSimulatedSuite()
  readonly #clientNumbers = new Map<string, number>()
  readonly #sessionClients = new Map<string, number>()
  /** By any replica. */
  #heightExecuted = 0
  #lastLeader: ReplicaId | null = null

  constructor(options: SimulationOptions, application: SimulatedApplication<Operation, Result>) {
    this.#options = options
    this.#application = application
    const name = `${options.protocol} ${options.replicas} ${options.faults} ${options.seed}`
    this.#random = createRandom(name)
    this.#diskRandom = createRandom(`${name} disks`)
    this.#diskPlan = drawDiskPlan(this.#diskRandom.fork('plan'), options.faults)
    this.#atlas = new DiskAtlas(options.replicas)
    this.#paces = createRandom(`paces ${options.seed}`)
    this.#invariants = new Invariants(this.#scheduler)
    this.#network = new Network(this.#scheduler, this.#random.fork('network'), this.#hash, this.#coverage)
    this.#plan = drawFaultPlan(this.#random.fork('plan'), options.faults)
    this.#network.model = this.#plan.network
    this.#load = drawLoad(this.#random.fork('load'))
    this.#epoch = this.#createEpoch()
    const ids = this.#epoch.members.map((member) => member.id)
    this.#memory = this.#diskPlan === null ? null : new IncarnationMemory(ids)
    this.#caretaker = new Caretaker({ scheduler: this.#scheduler, random: this.#diskRandom.fork('caretaker') })
    this.#replicas = this.#epoch.members.map((member) => this.#createReplica(member.id))
    const load = application.createLoad(this.#load)
    this.#clients = Array.from({ length: this.#load.clients }, (_, index) => this.#createClient(index + 1, load))
  }

  run(): SeedReport {
    const safetyUs = this.#random.between(safetyUsMin, safetyUsMax)
    const nemesis = this.#createNemesis()
    const diskNemesis = this.#createDiskNemesis()
    const operator = this.#createOperator()
    this.#note('world', 'safety phase', `${Math.round(safetyUs / 1000)} ms`)
    this.#runUntil(safetyUs)
    nemesis.stop()
    diskNemesis?.stop()
    operator?.stop()
    if (this.#invariants.violation === null) this.#livenessPhase()
    const excuse = this.#invariants.violation === null ? this.#check() : null
    return this.#report(excuse)
  }

  /** False when a violation ended the run, or `done` said that there is nothing left to wait for. */
  #runUntil(untilUs: number, done: () => boolean = () => false): boolean {
    let sinceAsked = 0
    while (this.#scheduler.step(untilUs)) {
      if (this.#invariants.violation !== null) return false
      if (++sinceAsked >= 64) {
        sinceAsked = 0
        if (done()) return false
        if (this.#scheduler.events > eventsMax) {
          this.#invariants.violate('bounded-work', `${eventsMax} events in ${this.#scheduler.nowUs} µs of virtual time`)
        }
      }
    }
    return true
  }

  #livenessPhase(): void {
    const core = this.#heal()
    const boundUs = livenessTimeouts * this.#epoch.parameters.timers.timeoutMsMax * 1000
    const healedUs = this.#scheduler.nowUs
    this.#note('world', 'liveness phase', `core ${core.map((replica) => replica.id).join(' ')}`)
    for (const client of this.#clients) client.wait()
    const before = this.#clients.map((client) => client.completed)
    const served = (): boolean =>
      this.#clients.every((client, index) => client.completed >= before[index]! + healedOperations)
    this.#runUntil(healedUs + boundUs, served)
    for (const client of this.#clients) client.drain()
    const complete = (): boolean =>
      served() &&
      this.#clients.every((client) => client.underWay === 0) &&
      core.every((replica) => replica.executedHeight >= this.#invariants.heightDecided)
    this.#runUntil(healedUs + boundUs, complete)
    if (this.#invariants.violation !== null) return
    if (!complete()) return this.#invariants.violate('liveness', this.#explainStall(core))
    const abstaining = core.filter((replica) => replica.abstains).length
    if (abstaining > 0) count(this.#coverage, 'abstaining-caught-up', abstaining)
    count(this.#coverage, 'liveness-phase-ms', Math.round((this.#scheduler.nowUs - healedUs) / 1000))
  }

  /**
   * Heals a random sufficient core: a quorum, or more, of those whose disks are whole, and perhaps some of the others, who must follow.
   * Whoever is not in it stays as lost to the others as it happens to become.
   */
  #heal(): SimulatedReplica[] {
    const random = this.#random.fork('heal')
    const faulty = this.#options.faults !== 'none'
    const needed = quorum('crash', this.#replicas.length)
    const whole = this.#replicas.filter((replica) => !this.#atlas.isDamaged(replica.id))
    const size = faulty ? random.between(needed, whole.length) : whole.length
    const shuffled = shuffle(random, whole)
    const damaged = this.#replicas.filter((replica) => this.#atlas.isDamaged(replica.id))
    const core = [...shuffled.slice(0, size), ...damaged.filter(() => random.chance(1, 2))]
    this.#network.healAll()
    this.#network.model = { ...calmNetwork, ordered: this.#plan.network.ordered }
    this.#caretaker.serveOnly(core)
    for (const replica of core) replica.heal()
    for (const replica of [...shuffled, ...damaged]) if (!core.includes(replica)) this.#lose(replica, random)
    return core
  }

  #lose(replica: SimulatedReplica, random: Random): void {
    const fate = random.pick(this.#fates())
    this.#note(`replica ${replica.id}`, 'stays lost', fate)
    if (fate === 'crashed') {
      replica.crash()
      return
    }
    replica.heal()
    if (fate === 'full') replica.drive.full = true
    if (fate === 'hanging') replica.drive.syncing = 'hangs'
    if (fate === 'full' || fate === 'hanging') return
    for (const other of this.#addresses()) {
      if (other === replica.address) continue
      if (fate !== 'deaf') this.#network.block(replica.address, other)
      if (fate !== 'mute') this.#network.block(other, replica.address)
    }
  }

  #fates(): readonly Fate[] {
    const cutOff: readonly Fate[] = ['isolated', 'deaf', 'mute']
    const crashed: readonly Fate[] = this.#options.faults === 'network' ? [] : ['crashed']
    const broken: readonly Fate[] = this.#diskPlan === null ? [] : ['full', 'hanging']
    return [...crashed, ...cutOff, ...broken]
  }

  #explainStall(core: readonly SimulatedReplica[]): string {
    const stuck = this.#clients.filter((client) => client.underWay > 0 || client.completed === 0)
    const behind = core.filter((replica) => replica.executedHeight < this.#invariants.heightDecided)
    const words = stuck.map(
      (client) => `client ${client.address - clientAddressMin} waits for ${client.describeUnderWay()}`,
    )
    words.push(
      ...behind.map(
        (replica) =>
          `replica ${replica.id} has executed ${replica.executedHeight} of ${this.#invariants.heightDecided}`,
      ),
    )
    words.push(...core.map((replica) => `replica ${replica.id}: ${replica.describe()}`))
    return words.join('; ')
  }

  /** What the application's checkers say. An excuse is a search that gave up. */
  #check(): Excuse | null {
    const judgement = this.#application.judge({
      epoch: this.#epoch,
      history: this.#history.history(),
      decided: this.#decided,
      blocks: this.#blocks,
      heightDecided: this.#invariants.heightDecided,
    })
    if (judgement.kind === 'violated') this.#invariants.violate(judgement.invariant, judgement.explanation)
    return judgement.kind === 'undecided' ? 'linearizability-undecided' : null
  }

  #report(excuse: Excuse | null): SeedReport {
    const violation = this.#invariants.violation
    const committed = this.#clients.reduce((sum, client) => sum + client.completed, 0)
    count(this.#coverage, 'operations-committed', committed)
    return {
      seed: this.#options.seed,
      verdict: violation !== null ? 'violated' : excuse !== null ? 'excused' : 'passed',
      violation,
      excuse,
      events: this.#scheduler.events,
      virtualMs: Math.round(this.#scheduler.nowUs / 1000),
      committedOperations: committed,
      coverage: this.#coverage,
      traceHash: this.#hash.hex(),
    }
  }

  #createEpoch(): Epoch {
    const priorities = drawPriorities(this.#paces.fork('priorities'), this.#options.replicas)
    const parameters = drawParameters(this.#random.fork('parameters'))
    const leaseDriftPerMille = drawLeaseDrift(this.#paces.fork('leases'), this.#plan.driftPpmMax)
    const members: Member[] = Array.from({ length: this.#options.replicas }, (_, index) => ({
      id: replicaId(index + 1),
      name: `replica-${index + 1}`,
      role: 'voter' as const,
      consensusKey: this.#suite.signer(new Uint8Array(32).fill(index + 1)).publicKey,
      linkKey: new Uint8Array(32).fill(index + 101),
      addresses: [],
      priority: priorities[index]!,
    }))
    return {
      network: new Uint8Array(32).fill(7),
      number: 1,
      firstHeight: 1,
      protocol: this.#options.protocol,
      members,
      parameters: { ...parameters, raft: { ...parameters.raft, leaseDriftPerMille } },
    }
  }

  #createReplica(id: ReplicaId): SimulatedReplica<RaftMessage, RaftRecord> {
    const { driftPpmMax, wallOffsetMsMax } = this.#plan
    const { owedTurnUs, ...slices } = drawRootPace(this.#paces.fork(`replica ${id}`))
    return new SimulatedReplica({
      id,
      epoch: this.#epoch,
      definition: raft,
      createExecutor: (hasher) => this.#application.createExecutor(this.#epoch, hasher, slices),
      hasher: this.#options.seed % realHashShare === 0 ? portableHasher : simulatedHasher,
      suite: this.#suite,
      scheduler: this.#scheduler,
      network: this.#network,
      random: this.#random.fork(`replica ${id}`),
      diskRandom: this.#diskRandom.fork(`replica ${id}`),
      memory: this.#memory,
      coverage: this.#coverage,
      driftPpmMax,
      wallOffsetMsMax,
      owedTurnUs,
      snapshots: drawSnapshotPace(this.#paces.fork(`snapshots ${id}`)),
      world: {
        decided: (block) => {
          if (!this.#invariants.decided(id, block.header)) return
          count(this.#coverage, 'heights-decided')
          this.#blocks.set(block.header.height, block)
        },
        executed: (block) => this.#executed(block),
        headerMade: (header) => this.#invariants.headerMade(id, header),
        restored: ({ header }) => this.#invariants.restored(id, header),
        leads: (term) => this.#leads(id, term),
        violated: (invariant, explanation) => this.#invariants.violate(invariant, explanation),
        note: (what, detail) => this.#note(`replica ${id}`, what, detail),
        isDamaged: () => this.#atlas.isDamaged(id),
        ended: (why) => this.#caretaker.ended(this.#replica(id), why),
        unmasked: (other, greeting, seen) => this.#replica(other).unmasked(greeting, seen),
      },
    })
  }

  #createClient(number: number, draw: (random: Random) => Operation): SimulatedClient<Operation, Result> {
    const linkKey = clientKeyAt(clientAddressMin + number)
    const signs = this.#epoch.parameters.envelopeSignatures === 'required'
    const signer = signs ? this.#suite.signer(linkKey) : null
    const key = signer?.publicKey ?? linkKey
    this.#clientNumbers.set(key.join(), number)
    return new SimulatedClient({
      number,
      epoch: this.#epoch,
      key,
      signer,
      scheduler: this.#scheduler,
      network: this.#network,
      random: this.#random.fork(`client ${number}`),
      history: this.#history,
      coverage: this.#coverage,
      draw,
      language: this.#application.language,
      load: this.#load,
      note: (what, detail) => this.#note(`client ${number}`, what, detail),
    })
  }

  #createNemesis(): Nemesis {
    return new Nemesis({
      plan: this.#plan,
      scheduler: this.#scheduler,
      network: this.#network,
      victims: this.#replicas,
      addresses: this.#addresses(),
      random: this.#random.fork('nemesis'),
      coverage: this.#coverage,
      leader: () => this.#replicas.find((replica) => replica.id === this.#lastLeader) ?? null,
      note: (what, detail) => this.#note('world', what, detail),
    })
  }

  #createDiskNemesis(): DiskNemesis | null {
    if (this.#diskPlan === null || this.#memory === null) return null
    return new DiskNemesis({
      plan: this.#diskPlan,
      scheduler: this.#scheduler,
      victims: this.#replicas,
      atlas: this.#atlas,
      memory: this.#memory,
      random: this.#diskRandom.fork('nemesis'),
      coverage: this.#coverage,
      leader: () => this.#replicas.find((replica) => replica.id === this.#lastLeader) ?? null,
      note: (what, detail) => this.#note('disks', what, detail),
    })
  }

  #replica(id: ReplicaId): SimulatedReplica<RaftMessage, RaftRecord> {
    return this.#replicas.find((replica) => replica.id === id)!
  }

  #createOperator(): Operator | null {
    const random = this.#paces.fork('operator')
    if (this.#options.faults === 'none' || !random.chance(1, 3)) return null
    return new Operator({
      random,
      scheduler: this.#scheduler,
      replicas: this.#replicas,
      note: (what, detail) => this.#note('world', what, detail),
    })
  }

  #addresses(): Address[] {
    return [...this.#replicas.map((replica) => replica.address), ...this.#clients.map((client) => client.address)]
  }

  #leads(id: ReplicaId, term: number): void {
    this.#invariants.leads(id, term)
    if (this.#lastLeader !== id) count(this.#coverage, 'leader-changes')
    this.#lastLeader = id
  }

  /** The first replica to execute a height tells the world which operations ran; the others must come to the same. */
  #executed(block: ExecutedBlock): void {
    const { height } = block
    this.#hash.number(height)
    if (height <= this.#heightExecuted) return
    this.#heightExecuted = height
    for (const reply of block.replies) {
      if (reply.kind === 'opening') {
        this.#noteSession(reply)
        continue
      }
      // A refusal of an envelope executes nothing.
      if (!isExecuted(reply.outcome)) continue
      if (!reply.fresh) {
        count(this.#coverage, 'retries-not-executed-again')
        continue
      }
      const client = this.#sessionClients.get(`${reply.session.height}.${reply.session.index}`)
      const operation = client === undefined ? null : this.#clients[client - 1]!.idOf(reply.session, reply.number)
      if (client === undefined || operation === null) {
        return this.#invariants.violate('invented-operation', `height ${height} executed what no client asked for`)
      }
      this.#decided.push({ height, index: reply.index, client, id: operation })
    }
  }

  #noteSession(reply: OpeningReply): void {
    const session = sessionOf(reply.outcome)
    const client = this.#clientNumbers.get(reply.client.join())
    if (session !== null && client !== undefined) {
      this.#sessionClients.set(`${session.height}.${session.index}`, client)
    }
  }

  #note(actor: string, what: string, detail: string): void {
    this.#options.trace?.({ timeUs: this.#scheduler.nowUs, actor, what, detail })
  }
}

function shuffle<Item>(random: Random, items: readonly Item[]): Item[] {
  const shuffled = [...items]
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = random.below(index + 1)
    const item = shuffled[index]!
    shuffled[index] = shuffled[other]!
    shuffled[other] = item
  }
  return shuffled
}
