// How a real replica may lie, by protocol.

import type { ProtocolName } from '../../src/kernel/ids.ts'
import type { Behaviour } from '../../src/simulator/adversaries/behaviour.ts'
import { forgetful } from '../../src/simulator/adversaries/crashing.ts'
import { equivocatingCheckpoints, falseCheckpoints } from '../../src/simulator/adversaries/false-checkpoints.ts'
import { falseReplies, lyingFetches } from '../../src/simulator/adversaries/lying-answers.ts'
import { malformedBytes } from '../../src/simulator/adversaries/malformed.ts'
import { silent } from '../../src/simulator/adversaries/silent.ts'
import { pbftBehaviours } from '../../src/simulator/adversaries/table.ts'

/** Crashing is what the rounds of kills do. */
const lies: Readonly<Record<ProtocolName, readonly Behaviour<never>[]>> = {
  raft: [],
  pbft: (pbftBehaviours as readonly Behaviour<never>[]).filter(({ name }) => name !== 'crashing'),
  // Those that need no protocol's words.
  hotstuff: [
    silent,
    forgetful,
    falseCheckpoints,
    equivocatingCheckpoints,
    lyingFetches,
    falseReplies,
    malformedBytes,
  ] as readonly Behaviour<never>[],
}

export function lieNames(protocol: ProtocolName): string[] {
  return lies[protocol].map(({ name }) => name)
}

export function lieNamed(protocol: ProtocolName, name: string): Behaviour<unknown> {
  const found = lies[protocol].find((one) => one.name === name)
  if (found === undefined) throw new RangeError(`${name} is no behaviour of ${protocol}`)
  return found as Behaviour<unknown>
}
