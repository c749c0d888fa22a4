/**
 * One seed, one history: a network of replicas and clients in virtual time, first with faults, then with a core of them healed.
 *
 * SAFETY PHASE. Faults come and go while clients work. Invariants are checked at every decision and execution.
 * LIVENESS PHASE. A random sufficient core is healed and all other faults are made permanent; then every operation that a client has
 * under way must complete, and every replica of the core must execute it, in bounded time (leader-turns.ts).
 * At the end the history goes to both checkers.
 */

import type { Height, ReplicaId } from '../kernel/ids.ts'
import { membershipOf, type Epoch, type Membership } from '../kernel/membership.ts'
import { portableHasher } from '../crypto/portable/sha256-hasher.ts'
import { createRandom, type Random } from '../kernel/random.ts'
import type { Hasher } from '../kernel/crypto-ports.ts'
import type { Block } from '../kernel/block.ts'
import type { ProtocolEvent } from '../kernel/protocol.ts'
import { adversarial } from './adversaries/adversarial.ts'
import type { SimulatedApplication } from './application.ts'
import { HistoryRecorder } from './checkers/history.ts'
import { count } from './coverage.ts'
import { DiskAtlas } from './disk-atlas.ts'
import { drawEpoch } from './draw-epoch.ts'
import { ExecutedOperations } from './executed-operations.ts'
import { healCore } from './healing.ts'
import { fatesOf } from './fates.ts'
import { explainStall, heightOwed } from './stall.ts'
import { Witness } from './witness.ts'
import { DiskNemesis } from './disk-nemesis.ts'
import type { Excuse } from './excuses.ts'
import { drawDiskPlan, drawFaultPlan, type DiskPlan, type FaultPlan } from './fault-plan.ts'
import { HistoryHash } from './history-hash.ts'
import { IncarnationMemory } from './incarnation-memory.ts'
import { Invariants } from './invariants.ts'
import { Nemesis } from './nemesis.ts'
import { clientAddressMin, clientKeyAt, Network, type Address } from './network.ts'
import { Caretaker } from './caretaker.ts'
import { Cast } from './cast.ts'
import { Clocks } from './clocks.ts'
import type { Coverage, SeedReport, SimulationOptions } from './report.ts'
import { drawLoad, drawRootPace, drawSnapshotPace, type LoadShape } from './run-parameters.ts'
import { Operator } from './operator.ts'
import type { ReplicaWorld } from './replica-life.ts'
import { hasRunOfLeaders, livenessBoundMs } from './leader-turns.ts'
import { simulatedProtocols, type SimulatedProtocol } from './protocols.ts'
import { storeApplication } from './store-application.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedClient } from './simulated-client.ts'
import { SimulatedReplica } from './simulated-replica.ts'
import { createSimulatedSuite, simulatedHasher } from './simulated-suite.ts'

const safetyUsMin = 2_000_000
const safetyUsMax = 7_000_000
/** New operations of each client that must complete once the core is healed, beside all that were under way. */
const healedOperations = 3
const operationsMax = 20_000
/** One seed in so many uses the real hash; the others a cheap one that is as good inside a run. */
const realHashShare = 100
/** Nothing may go on for ever without virtual time passing. */
const eventsMax = 5_000_000

/** Runs one seed. Total: whatever goes wrong in the run is its verdict. */
export function runSeed(options: SimulationOptions): SeedReport {
  return runApplicationSeed(options, storeApplication)
}

/** The same, with another application in the place of the built-in store. */
export function runApplicationSeed<Operation, Result>(
  options: SimulationOptions,
  application: SimulatedApplication<Operation, Result>,
): SeedReport {
  const { raft, pbft, hotstuff } = simulatedProtocols
  switch (options.protocol) {
    case 'raft':
      return new Simulation(options, raft, application).run()
    case 'pbft':
      return new Simulation(options, pbft, application).run()
    case 'hotstuff':
      return new Simulation(options, hotstuff, application).run()
  }
}

class Simulation<Message, LogRecord, Operation, Result> {
  readonly #options: SimulationOptions
  readonly #application: SimulatedApplication<Operation, Result>
  readonly #random: Random
  /** For all that only runs have whose members may lie. */
  readonly #byzantine: Random
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
  readonly #hasher: Hasher
  readonly #membership: Membership
  readonly #protocol: SimulatedProtocol<Message, LogRecord>
  readonly #cast: Cast<Message>
  readonly #clocks: Clocks
  readonly #witness: Witness<Message, LogRecord>
  readonly #replicas: SimulatedReplica<Message, LogRecord>[]
  readonly #clients: SimulatedClient<Operation, Result>[]
  readonly #history = new HistoryRecorder<Operation, Result>({ operationsMax })
  /** The first decision of each height. */
  readonly #blocks = new Map<number, Block>()
  readonly #operations: ExecutedOperations
  /** Every key of the run: who has no secret of it cannot sign. */
  readonly #suite = createSimulatedSuite()
  #lastLeader: ReplicaId | null = null
  #termSeen = -1

  constructor(
    options: SimulationOptions,
    protocol: SimulatedProtocol<Message, LogRecord>,
    application: SimulatedApplication<Operation, Result>,
  ) {
    this.#options = options
    this.#protocol = protocol
    this.#application = application
    const name = `${options.protocol} ${options.replicas} ${options.faults} ${options.seed}`
    this.#random = createRandom(name)
    this.#diskRandom = createRandom(`${name} disks`)
    this.#diskPlan = drawDiskPlan(this.#diskRandom.fork('plan'), options.faults)
    this.#paces = createRandom(`paces ${options.seed}`)
    this.#byzantine = createRandom(`${name} byzantine`)
    this.#invariants = new Invariants(this.#scheduler)
    this.#operations = new ExecutedOperations({
      invariants: this.#invariants,
      coverage: this.#coverage,
      idOf: (client, session, number) => this.#clients[client - 1]!.idOf(session, number),
    })
    this.#network = new Network(this.#scheduler, this.#random.fork('network'), this.#hash, this.#coverage)
    this.#plan = drawFaultPlan(this.#random.fork('plan'), options.faults)
    this.#network.model = this.#plan.network
    this.#load = drawLoad(this.#random.fork('load'))
    this.#epoch = drawEpoch(options, protocol, {
      random: this.#random,
      paces: this.#paces,
      byzantine: this.#byzantine,
      driftPpmMax: this.#plan.driftPpmMax,
      suite: this.#suite,
    })
    this.#membership = membershipOf(this.#epoch)
    this.#hasher = options.seed % realHashShare === 0 ? portableHasher : simulatedHasher
    this.#cast = this.#createCast(name)
    this.#clocks = this.#createClocks()
    this.#witness = this.#createWitness()
    this.#atlas = this.#createAtlas()
    this.#lastLeader = this.#protocol.firstLeader(this.#epoch)
    const ids = this.#epoch.members.map((member) => member.id)
    this.#memory = this.#diskPlan === null ? null : new IncarnationMemory(ids)
    this.#caretaker = new Caretaker({
      scheduler: this.#scheduler,
      random: this.#diskRandom.fork('caretaker'),
      isDamaged: (patient) => this.#replicas.some((one) => one === patient && this.#atlas.isDamaged(one.id)),
    })
    this.#replicas = this.#epoch.members.map((member) => this.#createReplica(member.id))
    const load = application.createLoad(this.#load)
    this.#clients = Array.from({ length: this.#load.clients }, (_, index) => this.#createClient(index + 1, load))
  }

  run(): SeedReport {
    const safetyUs = this.#random.between(safetyUsMin, safetyUsMax)
    const nemesis = this.#createNemesis()
    const diskNemesis = this.#createDiskNemesis()
    const operator = this.#createOperator()
    this.#cast.unleash(this.#replicas, this.#scheduler)
    for (const words of this.#cast.words) this.#note('world', 'adversary', words)
    this.#note('world', 'safety phase', `${Math.round(safetyUs / 1000)} ms`)
    this.#runUntil(safetyUs)
    nemesis.stop()
    diskNemesis?.stop()
    operator?.stop()
    const stalled = this.#invariants.violation === null ? this.#livenessPhase() : null
    const undecided = this.#invariants.violation === null ? this.#check() : null
    return this.#report(stalled ?? undecided)
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

  #livenessPhase(): Excuse | null {
    const core = this.#heal()
    const operations = this.#clients.reduce((sum, { underWay }) => sum + underWay + healedOperations, 0)
    const boundUs = livenessBoundMs(this.#epoch, operations) * 1000
    const healedUs = this.#scheduler.nowUs
    this.#note('world', 'liveness phase', `core ${core.map((replica) => replica.id).join(' ')}`)
    for (const client of this.#clients) client.wait()
    const before = this.#clients.map((client) => client.completed)
    const served = (): boolean =>
      this.#clients.every((client, index) => client.completed >= before[index]! + healedOperations)
    this.#runUntil(healedUs + boundUs, served)
    for (const client of this.#clients) client.drain()
    const complete = (height: Height): boolean =>
      served() &&
      this.#clients.every((client) => client.underWay === 0) &&
      core.every((replica) => replica.executedHeight >= height)
    this.#runUntil(healedUs + boundUs, () => complete(this.#invariants.heightDecided))
    if (this.#invariants.violation !== null) return null
    if (!complete(heightOwed(core, this.#invariants.heightDecided, this.#blocks))) {
      const standing = core.filter(({ id }) => !this.#atlas.isDamaged(id)).map(({ id }) => id)
      if (!hasRunOfLeaders(this.#epoch, standing)) return 'no-run-of-leaders'
      this.#invariants.violate('liveness', explainStall(this.#clients, core, this.#invariants.heightDecided))
      return null
    }
    const abstaining = core.filter((replica) => replica.abstains).length
    if (abstaining > 0) count(this.#coverage, 'abstaining-caught-up', abstaining)
    count(this.#coverage, 'liveness-phase-ms', Math.round((this.#scheduler.nowUs - healedUs) / 1000))
    return null
  }

  #heal(): SimulatedReplica<Message, LogRecord>[] {
    return healCore({
      random: this.#random.fork('heal'),
      quorum: this.#membership.quorum,
      replicas: this.#replicas,
      isLiar: (id) => this.#cast.has(id),
      isDamaged: (id) => this.#atlas.isDamaged(id),
      fates: this.#options.faults === 'none' ? null : fatesOf(this.#options.faults, this.#diskPlan !== null),
      network: this.#network,
      ordered: this.#plan.network.ordered,
      addresses: this.#addresses(),
      caretaker: this.#caretaker,
      clocks: this.#clocks,
      note: (actor, what, detail) => this.#note(actor, what, detail),
    })
  }

  /** What the application's checkers say. An excuse is a search that gave up. */
  #check(): Excuse | null {
    const judgement = this.#application.judge({
      epoch: this.#epoch,
      history: this.#history.history(),
      decided: this.#operations.decided,
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

  #createCast(name: string): Cast<Message> {
    return new Cast({
      options: this.#options,
      epoch: this.#epoch,
      behaviours: this.#protocol.behaviours,
      message: this.#protocol.definition.message,
      random: createRandom(`${name} adversaries`),
      suite: this.#suite,
      hasher: this.#hasher,
      coverage: this.#coverage,
    })
  }

  /** Who lies may lose its disk as well: together they are as many as the protocol survives. */
  #createAtlas(): DiskAtlas {
    const atlas = new DiskAtlas(this.#membership.faultsTolerated)
    for (const { id } of this.#epoch.members) if (this.#cast.has(id)) atlas.damage(id)
    return atlas
  }

  #createClocks(): Clocks {
    return new Clocks({
      epoch: this.#epoch,
      plan: this.#plan,
      isLiar: (id) => this.#cast.has(id),
      random: this.#byzantine,
    })
  }

  #createWitness(): Witness<Message, LogRecord> {
    return new Witness({
      epoch: this.#epoch,
      definition: this.#protocol.definition,
      suite: this.#suite,
      invariants: this.#invariants,
      coverage: this.#coverage,
      isLiar: (id) => this.#cast.has(id),
      rightTimes: () => this.#replicas.flatMap(({ id, wallTimes }) => (this.#clocks.isRight(id) ? wallTimes : [])),
    })
  }

  #createReplica(id: ReplicaId): SimulatedReplica<Message, LogRecord> {
    const { driftPpmMax } = this.#plan
    const { owedTurnUs, ...slices } = drawRootPace(this.#paces.fork(`replica ${id}`))
    const { definition } = this.#protocol
    const attack = this.#cast.attackOf(id)
    return new SimulatedReplica({
      id,
      epoch: this.#epoch,
      definition: attack === null ? definition : adversarial(definition, attack),
      attack,
      createExecutor: (hasher) => this.#application.createExecutor(this.#epoch, hasher, slices),
      hasher: this.#hasher,
      suite: this.#suite,
      scheduler: this.#scheduler,
      network: this.#network,
      random: this.#random.fork(`replica ${id}`),
      diskRandom: this.#diskRandom.fork(`replica ${id}`),
      memory: this.#memory,
      // What is seen at a liar proves nothing.
      coverage: attack === null ? this.#coverage : {},
      driftPpmMax,
      ...this.#clocks.of(id),
      owedTurnUs,
      snapshots: drawSnapshotPace(this.#paces.fork(`snapshots ${id}`)),
      world: attack === null ? this.#worldOf(id) : { ...this.#worldOf(id), ...deafWorld },
    })
  }

  #worldOf(id: ReplicaId): ReplicaWorld {
    return {
      decided: (block) => this.#decidedBy(id, block),
      executed: (block) => {
        this.#hash.number(block.height)
        this.#operations.executed(block)
      },
      headerMade: (header) => this.#invariants.headerMade(id, header),
      restored: ({ header }) => this.#invariants.restored(id, header),
      event: (event) => this.#eventOf(id, event),
      accused: (evidence) => {
        this.#note(`replica ${id}`, 'accuses', `replica ${evidence.replica}`)
        this.#witness.accused(id, evidence)
      },
      violated: (invariant, explanation) => this.#invariants.violate(invariant, explanation),
      note: (what, detail) => this.#note(`replica ${id}`, what, detail),
      isDamaged: () => this.#atlas.isDamaged(id),
      ended: (why) => this.#caretaker.ended(this.#replica(id), why),
      unmasked: (other, greeting, seen) => this.#replica(other).unmasked(greeting, seen),
    }
  }

  #decidedBy(id: ReplicaId, block: Block): void {
    const { header } = block
    if (!this.#invariants.decided(id, header)) return
    count(this.#coverage, 'heights-decided')
    this.#blocks.set(header.height, block)
    this.#witness.decided(header)
  }

  #createClient(number: number, draw: (random: Random) => Operation): SimulatedClient<Operation, Result> {
    const linkKey = clientKeyAt(clientAddressMin + number)
    const signs = this.#epoch.parameters.envelopeSignatures === 'required'
    const signer = signs ? this.#suite.signer(linkKey) : null
    const key = signer?.publicKey ?? linkKey
    this.#operations.clientHas(key, number)
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

  #replica(id: ReplicaId): SimulatedReplica<Message, LogRecord> {
    return this.#replicas.find((replica) => replica.id === id)!
  }

  #createOperator(): Operator | null {
    const random = this.#paces.fork('operator')
    const { drawWish } = this.#protocol
    if (drawWish === null || this.#options.faults === 'none' || !random.chance(1, 3)) return null
    return new Operator({
      random,
      scheduler: this.#scheduler,
      replicas: this.#replicas,
      drawWish,
      note: (what, detail) => this.#note('world', what, detail),
    })
  }

  #addresses(): Address[] {
    return [...this.#replicas.map((replica) => replica.address), ...this.#clients.map((client) => client.address)]
  }

  #eventOf(id: ReplicaId, event: ProtocolEvent): void {
    const leadership = this.#protocol.leadership(event, id, this.#epoch)
    if (leadership === null) return
    const { leader, term } = leadership
    if (this.#protocol.isElected) this.#invariants.leads(leader, term)
    // A replica that lags says what others have said before.
    else if (term <= this.#termSeen) return
    this.#termSeen = term
    if (this.#lastLeader !== leader) count(this.#coverage, 'leader-changes')
    this.#lastLeader = leader
  }

  #note(actor: string, what: string, detail: string): void {
    this.#options.trace?.({ timeUs: this.#scheduler.nowUs, actor, what, detail })
  }
}

/** What a liar says of itself is not listened to. */
const deafWorld: Partial<ReplicaWorld> = {
  decided: () => {},
  executed: () => {},
  headerMade: () => {},
  restored: () => {},
  event: () => {},
  accused: () => {},
  violated: () => {},
}
