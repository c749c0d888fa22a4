// Goal: what is written means what was planned, and reads back as the same network. Method: write, read, compare.

import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/kernel/hex.ts'
import { parseNetworkFile } from '../../src/kernel/network-file.ts'
import { assembleNetwork, networkFileText } from '../../src/kernel/network-file-writer.ts'
import { createSimulatedSuite, simulatedHasher } from '../../src/simulator/simulated-suite.ts'

const ports = { hasher: simulatedHasher, suite: createSimulatedSuite() }
const member = (name: string, byte: number) => ({
  name,
  role: 'voter' as const,
  consensusKey: new Uint8Array(32).fill(byte),
  linkKey: new Uint8Array(32).fill(byte + 100),
  addresses: ['/ip4/127.0.0.1/tcp/4001', '/ip4/127.0.0.1/tcp/4002/ws'],
  priority: byte,
})
const members = [member('gamma', 1), member('alpha', 2), member('beta', 3)]
const parameters = { timers: { timeoutMsBase: 500 }, batch: { lingerMs: 2 } }

describe('a network that is assembled', () => {
  it('gives ids in the order of its members, and says what was planned', () => {
    const file = assembleNetwork({ name: 'test', protocol: 'raft', members, parameters }, ports)
    expect(file).toMatchObject({ ok: true, name: 'test', approvals: [], missingApprovals: [1, 2, 3] })
    if (!file.ok) return
    expect(file.epoch.members).toEqual(members.map((one, index) => ({ id: index + 1, ...one })))
    expect(file.epoch).toMatchObject({ protocol: 'raft', parameters: { ...parameters, envelopeSignatures: 'link' } })
  })

  it('reads back as itself', () => {
    for (const protocol of ['raft', 'pbft', 'hotstuff'] as const) {
      const more = [...members, member('delta', 4)]
      const file = assembleNetwork({ name: 'test', protocol, members: more, parameters }, ports)
      if (!file.ok) throw new Error(file.error.message)
      const text = networkFileText(file)
      expect(parseNetworkFile(text, ports)).toEqual(file)
      expect(text).toMatch(/^\{\n {2}"version": 1,\n {2}"name": "test",\n/)
      expect(text).toContain(`"consensusKey": "${toHex(members[0]!.consensusKey)}"`)
    }
  })

  it('of many pbft replicas gives them the time that a view change takes', () => {
    const distinct = Array.from({ length: 100 }, (_, index) =>
      Object.assign(member(`m${index}`, index + 1), { linkKey: new Uint8Array(32).fill(index + 1).fill(200, 0, 1) }),
    )
    const file = assembleNetwork({ name: 'test', protocol: 'pbft', members: distinct }, ports)
    expect(file).toMatchObject({ ok: true, epoch: { parameters: { timers: { timeoutMsBase: 2788 } } } })
    expect(assembleNetwork({ name: 'test', protocol: 'raft', members: distinct }, ports)).toMatchObject({
      epoch: { parameters: { timers: { timeoutMsBase: 1000 } } },
    })
  })

  it.each([
    ['too few', { members: members.slice(1) }, 'ERR_NETWORK_TOO_FEW'],
    ['one member twice', { members: [...members, members[0]!] }, 'ERR_NETWORK_DUPLICATE'],
    ['no name', { name: '' }, 'ERR_NETWORK_FIELD'],
    ['a parameter that is none', { parameters: { timers: { timeout: 1 } } }, 'ERR_NETWORK_FIELD'],
  ])('is not written when its reader would refuse it: %s', (_name, changes, code) => {
    const plan = { name: 'test', protocol: 'raft' as const, members, ...changes }
    expect(assembleNetwork(plan, ports)).toMatchObject({ ok: false, error: { code } })
  })
})
