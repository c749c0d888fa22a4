// How a real replica may lie, by protocol.

import type { ProtocolName } from '../../kernel/ids.ts'
import type { Behaviour } from '../../simulator/adversaries/behaviour.ts'
import { hotstuffBehaviours, pbftBehaviours } from '../../simulator/adversaries/table.ts'

const lies: Readonly<Record<ProtocolName, readonly Behaviour<never>[]>> = {
  raft: [],
  pbft: withoutCrashing(pbftBehaviours as readonly Behaviour<never>[]),
  hotstuff: withoutCrashing(hotstuffBehaviours as readonly Behaviour<never>[]),
}

/** Crashing is what the rounds of kills do. */
function withoutCrashing(behaviours: readonly Behaviour<never>[]): readonly Behaviour<never>[] {
  return behaviours.filter(({ name }) => name !== 'crashing')
}

export function lieNames(protocol: ProtocolName): string[] {
  return lies[protocol].map(({ name }) => name)
}

export function lieNamed(protocol: ProtocolName, name: string): Behaviour<unknown> {
  const found = lies[protocol].find((one) => one.name === name)
  if (found === undefined) throw new RangeError(`${name} is no behaviour of ${protocol}`)
  return found as Behaviour<unknown>
}
