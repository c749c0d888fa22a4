// The networks that tests of whole replicas run: of each protocol as few voters as survive one fault, and of hotstuff each commit rule.

import { faultModelOf, leadersTakeTurns, protocolNames, type ProtocolName } from '../src/kernel/ids.ts'
import { votersMin } from '../src/kernel/quorum.ts'

export interface TestNetwork {
  protocol: ProtocolName
  replicas: number
  /** As in the network file. */
  parameters?: object
}

const parametersByRule = {
  'two-chain': { hotstuff: { rule: 'two-chain' } },
  // Leaders that have several views in a row: with each in turn, three-chain commits nothing while one of four is away. As few as will do,
  // because each view of the one away costs twice the timeout of the view before.
  'three-chain': { hotstuff: { rule: 'three-chain', leaders: 'tenure', tenureViews: 2 } },
} as const

const rules = Object.keys(parametersByRule).map((rule) => `hotstuff:${rule}`)

/** One of each protocol. */
export const networks: readonly TestNetwork[] = protocolNames.map(networkNamed)

/** Where a test writes one after another while a replica is away: whose turn it is leads, and under hotstuff that is soon the one away again. */
export function whileOneIsAway(protocol: ProtocolName): object {
  return leadersTakeTurns(protocol) ? { timers: { timeoutMsBase: 250 } } : {}
}

/** `hotstuff:three-chain`: the commit rule stands behind the protocol. */
export function networkNamed(name: string): TestNetwork {
  const [word, rule] = name.split(':')
  const protocol = protocolNames.find((one) => one === word)
  const parameters = Object.entries(parametersByRule).find(([one]) => one === rule)?.[1]
  if (protocol === undefined || (rule !== undefined && (protocol !== 'hotstuff' || parameters === undefined))) {
    throw new RangeError(`${name} is no network: say ${[...protocolNames, ...rules].join(', ')}`)
  }
  const replicas = votersMin(faultModelOf(protocol))
  return { protocol, replicas, ...(parameters === undefined ? {} : { parameters }) }
}
