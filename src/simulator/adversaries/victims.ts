// Whom an adversary treats in another way than the rest, how often it does so, and what it invents.

import { digestBytes, type Digest } from '../../kernel/crypto-ports.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Random } from '../../kernel/random.ts'
import type { AdversaryOptions } from './behaviour.ts'

/** About a half of the others, at least one. */
export function half({ others, random }: AdversaryOptions): ReadonlySet<ReplicaId> {
  const chosen = others.filter(() => random.chance(1, 2))
  return new Set(chosen.length > 0 ? chosen : others.slice(0, 1))
}

/** As many others as may be faulty, at least one. */
export function fewOthers({ others, random, membership }: AdversaryOptions): ReadonlySet<ReplicaId> {
  const few = Math.max(1, membership.faultsTolerated)
  const first = others.length === 0 ? 0 : random.below(others.length)
  return new Set(Array.from({ length: few }, (_, index) => others[(first + index) % others.length]!))
}

/** Always, often or now and then: a lie told every time is found out before it meets the rare case. */
export function drawShare(random: Random): () => boolean {
  const perMille = random.pick([1000, 300, 50])
  return () => random.below(1000) < perMille
}

/** Which no block and no node has. */
export function inventedDigest({ random }: AdversaryOptions): Digest {
  return Uint8Array.from({ length: digestBytes }, () => random.below(256))
}
