// Who lies in a run, and how: drawn from a source of its own, so that nothing else draws differently because of it.

import type { Hasher, SignatureSuite } from '../kernel/crypto-ports.ts'
import type { ReplicaId } from '../kernel/ids.ts'
import { membershipOf, type Epoch } from '../kernel/membership.ts'
import { createRandom, type Random } from '../kernel/random.ts'
import type { Attack, Behaviour } from './adversaries/behaviour.ts'
import { counted } from './adversaries/counted.ts'
import { count } from './coverage.ts'
import type { Coverage, SimulationOptions } from './report.ts'
import type { Scheduler } from './scheduler.ts'
import type { Codec } from '../wire/codec.ts'

export interface CastOptions<Message> {
  options: SimulationOptions
  epoch: Epoch
  behaviours: readonly Behaviour<Message>[]
  /** What they say to each other. */
  message: Codec<Message>
  random: Random
  suite: SignatureSuite
  hasher: Hasher
  coverage: Coverage
}

/** What a replica that crashes at will can do to itself. */
export interface Unruly {
  readonly id: ReplicaId
  readonly isUp: boolean
  crash(): void
  restart(): void
}

const downUsMax = 200_000

export class Cast<Message> {
  readonly #random: Random
  readonly #attacks = new Map<ReplicaId, Attack<Message>>()
  readonly #coverage: Coverage
  readonly #roles: ReadonlyMap<ReplicaId, Behaviour<Message>>
  /** For a person: who does what. */
  readonly words: readonly string[]

  /** Throws a RangeError when more liars are asked for than the epoch survives, or a behaviour that there is not. */
  constructor(cast: CastOptions<Message>) {
    this.#random = cast.random
    const roles = drawRoles(cast)
    this.#coverage = cast.coverage
    this.#roles = roles
    this.words = [...roles].map(([id, { name }]) => `replica ${id}: ${name}`)
    for (const [id, behaviour] of roles) {
      count(cast.coverage, `adversary-${behaviour.name}`)
      // Beside whatever else it does, and drawn apart from it.
      const pongs = createRandom(`pongs ${cast.options.seed} ${id}`).pick(['honest', 'late', 'early'] as const)
      count(cast.coverage, `adversary-pongs-${pongs}`)
      const lie = (): void => this.#countLie(id)
      this.#attacks.set(id, { ...counted(createAttack(behaviour, id, cast), cast.message, lie), pongs })
    }
    if (roles.size > 0) count(cast.coverage, 'adversaries', roles.size)
  }

  has(replica: ReplicaId): boolean {
    return this.#attacks.has(replica)
  }

  /** Null: it is correct. */
  attackOf(replica: ReplicaId): Attack<Message> | null {
    return this.#attacks.get(replica) ?? null
  }

  /** Lets those crash and start again that do so at will, to the end of the run. */
  unleash(replicas: readonly Unruly[], scheduler: Scheduler): void {
    for (const replica of replicas) {
      const restartsMs = this.attackOf(replica.id)?.restartsMs
      if (restartsMs !== undefined) this.#crashLater(replica, restartsMs * 1000, scheduler)
    }
  }

  #countLie(id: ReplicaId): void {
    count(this.#coverage, `lies-${this.#roles.get(id)!.name}`)
  }

  #crashLater(replica: Unruly, meanUs: number, scheduler: Scheduler): void {
    scheduler.after(1 + this.#random.below(2 * meanUs), () => {
      if (replica.isUp) {
        this.#countLie(replica.id)
        replica.crash()
        scheduler.after(1 + this.#random.below(downUsMax), () => replica.restart())
      }
      this.#crashLater(replica, meanUs, scheduler)
    })
  }
}

function drawRoles<Message>({
  options,
  epoch,
  behaviours,
  random,
}: CastOptions<Message>): Map<ReplicaId, Behaviour<Message>> {
  const { faultModel, faultsTolerated, all } = membershipOf(epoch)
  const { adversaries = null, behaviour: name = null, faults, protocol, replicas } = options
  const most = faultModel === 'crash' ? 0 : faultsTolerated
  if (adversaries !== null && adversaries > most) {
    throw new RangeError(`${replicas} replicas of ${protocol} survive ${most} adversaries, not ${adversaries}`)
  }
  const named = name === null ? behaviours : behaviours.filter((behaviour) => behaviour.name === name)
  if (name !== null && named.length === 0) throw new RangeError(`${protocol} knows no behaviour ${name}`)
  const least = name === null ? 0 : Math.min(1, most)
  const drawn = name === null && faults === 'none' ? 0 : random.between(least, most)
  const left = [...all]
  const roles = new Map<ReplicaId, Behaviour<Message>>()
  for (let liars = adversaries ?? drawn; liars > 0; liars--) {
    const [id] = left.splice(random.below(left.length), 1)
    const behaviour = random.pick(named)
    roles.set(id!, behaviour)
    if (behaviour.isInARow !== true) continue
    const free = neighbours(all, id!).filter((next) => !roles.has(next))
    for (const next of free.slice(0, liars - 1)) roles.set(next, behaviour)
    break
  }
  return roles
}

/** The others, from the next one on and round. */
function neighbours(all: readonly ReplicaId[], id: ReplicaId): ReplicaId[] {
  const at = all.indexOf(id)
  return [...all.slice(at + 1), ...all.slice(0, at)]
}

function createAttack<Message>(
  behaviour: Behaviour<Message>,
  self: ReplicaId,
  { epoch, suite, hasher, random }: CastOptions<Message>,
): Attack<Message> {
  const membership = membershipOf(epoch)
  return behaviour.create({
    self,
    epoch,
    membership,
    others: membership.all.filter((other) => other !== self),
    signer: suite.signer(new Uint8Array(32).fill(self)),
    hasher,
    random: random.fork(`replica ${self}`),
  })
}
