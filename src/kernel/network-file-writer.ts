// Network files as they are written: from the members that were collected, and again with each approval.

import type { ProtocolName } from './ids.ts'
import type { NewMember } from './member-file.ts'
import type { ApprovableNetwork } from './network-approval.ts'
import { parseNetworkFile, type NetworkFile, type NetworkFilePorts } from './network-file.ts'
import { parameterBounds } from './parameters.ts'
import { networkFields, networkFileVersion, prettyText } from './network-text.ts'
import { timeoutMsMin } from './view-change-cost.ts'

export interface NetworkPlan {
  name: string
  protocol: ProtocolName
  /** Their ids are 1, 2, 3… in this order. */
  members: readonly NewMember[]
  /** As in the file: groups of what differs from the defaults. Absent: what so many members need, the defaults if they will do. */
  parameters?: object
}

/** The network that the plan describes, as a reader of its file will see it; what a reader would refuse is never written. */
export function assembleNetwork(plan: NetworkPlan, ports: NetworkFilePorts): NetworkFile {
  const { name, protocol } = plan
  const parameters = plan.parameters ?? parametersFor(protocol, plan.members)
  const members = plan.members.map((member, index) => ({ id: index + 1, ...member }))
  const suite = ports.suite.name
  return parseNetworkFile(
    prettyText({ version: networkFileVersion, name, protocol, suite, members, parameters }),
    ports,
  )
}

/** A large pbft network needs more time to change its view than the default gives it. */
function parametersFor(protocol: ProtocolName, members: readonly NewMember[]): object {
  if (protocol !== 'pbft') return {}
  const voters = members.filter(({ role }) => role === 'voter').length
  const { timers, pbft } = parameterBounds
  const baseMs = voters === 0 ? 0 : timeoutMsMin(voters, pbft.windowBlocks.default)
  return baseMs <= timers.timeoutMsBase.default ? {} : { timers: { timeoutMsBase: baseMs } }
}

/** All that the network means, written out; reading it gives the same network, its id and its approvals. */
export function networkFileText(network: ApprovableNetwork): string {
  const { name, suite, epoch, approvals } = network
  const said = networkFields(name, suite, epoch)
  return prettyText(approvals.length === 0 ? said : { ...said, approvals })
}
