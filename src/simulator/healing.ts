// The end of the faults: a core of replicas that must get on is healed, and what is left of the others is made permanent.

import type { ReplicaId } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { Caretaker } from './caretaker.ts'
import type { Clocks } from './clocks.ts'
import type { Fate } from './fates.ts'
import { calmNetwork, type Address, type Network } from './network.ts'
import { shuffle } from './shuffle.ts'
import type { SimulatedReplica } from './simulated-replica.ts'

export interface HealingOptions<Replica> {
  random: Random
  quorum: number
  replicas: readonly Replica[]
  isLiar: (replica: ReplicaId) => boolean
  isDamaged: (replica: ReplicaId) => boolean
  /** What may become of those who are not healed. Null: there are no faults, and all are. */
  fates: readonly Fate[] | null
  network: Network
  ordered: boolean
  addresses: readonly Address[]
  caretaker: Caretaker
  clocks: Clocks
  note: (actor: string, what: string, detail: string) => void
}

/**
 * Heals a random sufficient core: a quorum, or more, of those who are correct and whose disks are whole, and perhaps some of those with
 * damaged disks, who must follow. Whoever is correct and not in it stays as lost to the others as it happens to become; adversaries go on
 * with what they do, healed as well.
 */
export function healCore<Replica extends SimulatedReplica<unknown, unknown>>(
  options: HealingOptions<Replica>,
): Replica[] {
  const { random, quorum, replicas, isLiar, isDamaged, fates, network, ordered, caretaker, clocks } = options
  const correct = replicas.filter(({ id }) => !isLiar(id))
  const adversaries = replicas.filter(({ id }) => isLiar(id))
  const whole = correct.filter(({ id }) => !isDamaged(id))
  const size = fates === null ? whole.length : random.between(quorum, whole.length)
  const shuffled = shuffle(random, whole)
  const damaged = correct.filter(({ id }) => isDamaged(id))
  const core = [...shuffled.slice(0, size), ...damaged.filter(() => random.chance(1, 2))]
  network.healAll()
  network.model = { ...calmNetwork, ordered }
  caretaker.serveOnly([...core, ...adversaries])
  for (const replica of [...core, ...adversaries]) replica.heal()
  clocks.setAll(core)
  for (const replica of [...shuffled, ...damaged]) {
    if (!core.includes(replica)) lose(replica, random.pick(fates!), options)
  }
  return core
}

function lose<Replica extends SimulatedReplica<unknown, unknown>>(
  replica: Replica,
  fate: Fate,
  { network, addresses, note }: HealingOptions<Replica>,
): void {
  note(`replica ${replica.id}`, 'stays lost', fate)
  if (fate === 'crashed') {
    replica.crash()
    return
  }
  replica.heal()
  if (fate === 'full') replica.drive.full = true
  if (fate === 'hanging') replica.drive.syncing = 'hangs'
  if (fate === 'full' || fate === 'hanging') return
  for (const other of addresses) {
    if (other === replica.address) continue
    if (fate !== 'deaf') network.block(replica.address, other)
    if (fate !== 'mute') network.block(other, replica.address)
  }
}
