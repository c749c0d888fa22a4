// Network files as they are written: from the members that were collected, and again with each approval.

import type { ProtocolName } from './ids.ts'
import type { NewMember } from './member-file.ts'
import type { ApprovableNetwork } from './network-approval.ts'
import { parseNetworkFile, type NetworkFile, type NetworkFilePorts } from './network-file.ts'
import { networkFields, networkFileVersion, prettyText } from './network-text.ts'

export interface NetworkPlan {
  name: string
  protocol: ProtocolName
  /** Their ids are 1, 2, 3… in this order. */
  members: readonly NewMember[]
  /** As in the file: groups of what differs from the defaults. */
  parameters?: object
}

/** The network that the plan describes, as a reader of its file will see it; what a reader would refuse is never written. */
export function assembleNetwork(plan: NetworkPlan, ports: NetworkFilePorts): NetworkFile {
  const { name, protocol, parameters = {} } = plan
  const members = plan.members.map((member, index) => ({ id: index + 1, ...member }))
  const suite = ports.suite.name
  return parseNetworkFile(
    prettyText({ version: networkFileVersion, name, protocol, suite, members, parameters }),
    ports,
  )
}

/** All that the network means, written out; reading it gives the same network, its id and its approvals. */
export function networkFileText(network: ApprovableNetwork): string {
  const { name, suite, epoch, approvals } = network
  const said = networkFields(name, suite, epoch)
  return prettyText(approvals.length === 0 ? said : { ...said, approvals })
}
