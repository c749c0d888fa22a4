// Goal: an approval counts for one member and one network, and a file that carries a bad one is no file. Method: real signatures; each
// way of spoiling one, with the sentence that must come of it.

import { describe, expect, it } from 'vitest'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import type { Signer } from '../../src/kernel/crypto-ports.ts'
import { toHex } from '../../src/kernel/hex.ts'
import { approveNetwork, mergeApprovals } from '../../src/kernel/network-approval.ts'
import { parseNetworkFile, type ReadNetwork } from '../../src/kernel/network-file.ts'
import { assembleNetwork, networkFileText } from '../../src/kernel/network-file-writer.ts'
import { canonicalNetworkText } from '../../src/kernel/network-text.ts'

const ports = { hasher: nodeHasher, suite: nodeEd25519 }
const signers = [1, 2, 3].map((byte) => nodeEd25519.signer(new Uint8Array(32).fill(byte)))

function network(name = 'test'): ReadNetwork {
  const members = signers.map(({ publicKey }, index) => ({
    name: `org-${index + 1}`,
    role: 'voter' as const,
    consensusKey: publicKey,
    linkKey: nodeEd25519.signer(new Uint8Array(32).fill(index + 100)).publicKey,
    addresses: ['/ip4/127.0.0.1/tcp/4001'],
    priority: 0,
  }))
  const file = assembleNetwork({ name, protocol: 'raft', members }, ports)
  if (!file.ok) throw new Error(file.error.message)
  return file
}

function approved(by: readonly Signer[], of = network()): ReadNetwork {
  return by.reduce((file, signer) => approveNetwork(file, signer)!, of)
}

/** What a reader makes of the file after a change to its JSON. */
function read(file: ReadNetwork, change: (json: { [field: string]: unknown; approvals: unknown[] }) => void) {
  const json = JSON.parse(networkFileText(file)) as { approvals: unknown[] }
  change(json)
  return parseNetworkFile(JSON.stringify(json), ports)
}

const nothing = (): void => {}
const signature = (file: ReadNetwork, index = 0): string => toHex(file.approvals[index]!.signature)

describe('approvals of a network file', () => {
  it('say who has approved, and who is missing, in the order of ids', () => {
    expect(read(approved([]), nothing)).toMatchObject({ ok: true, approvals: [], missingApprovals: [1, 2, 3] })
    const file = read(approved([signers[2]!, signers[0]!]), (json) => json.approvals.reverse())
    expect(file).toMatchObject({ ok: true, approvals: [{ member: 1 }, { member: 3 }], missingApprovals: [2] })
    expect(read(approved(signers), nothing)).toMatchObject({ ok: true, missingApprovals: [] })
  })

  it('leave the id of the network as it is', () => {
    const file = read(approved(signers), nothing)
    expect(file.ok && toHex(file.epoch.network)).toBe(toHex(network().epoch.network))
  })

  it('sign the canonical text, in the scope of the network’s first epoch', () => {
    const file = approved([signers[0]!])
    const text = canonicalNetworkText(file.name, file.suite, file.epoch)
    const signed = Buffer.concat([
      Buffer.from('quorate/1'),
      Uint8Array.of(1, 1),
      file.epoch.network,
      Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0),
      Buffer.from(text),
    ])
    expect(nodeEd25519.verify(signers[0]!.publicKey, signed, file.approvals[0]!.signature)).toBe(true)
  })

  it('are of members only', () => {
    expect(approveNetwork(network(), nodeEd25519.signer(new Uint8Array(32).fill(9)))).toBeNull()
  })

  it('are merged: one for each member', () => {
    const merged = mergeApprovals(approved([signers[2]!, signers[0]!]), approved([signers[1]!, signers[0]!]).approvals)
    expect(merged.approvals.map((approval) => approval.member)).toEqual([1, 2, 3])
    expect(merged.missingApprovals).toEqual([])
    expect(read(merged, nothing).ok).toBe(true)
    // What a file has is kept, for the others may say the same in another way.
    const second = { ...merged.approvals[0]!, signature: new Uint8Array(64) }
    expect(mergeApprovals(merged, [second]).approvals).toEqual(merged.approvals)
  })

  it.each<[string, Parameters<typeof read>[1], RegExp]>([
    ['after a change of the file', (json) => (json['name'] = 'other'), /approval of org-1 is not for this network/],
    [
      'of another network',
      (json) => (json.approvals = [{ member: 1, signature: signature(approved([signers[0]!], network('other'))) }]),
      /approval of org-1 is not for this network/,
    ],
    [
      'by another member',
      (json) => (json.approvals = [{ member: 2, signature: signature(approved([signers[0]!])) }]),
      /approval of org-2 is not for this network/,
    ],
    ['twice', (json) => (json.approvals[1] = json.approvals[0]), /approvals name org-1 twice/],
    ['of nobody', (json) => (json.approvals = [{ member: 4, signature: 'ab' }]), /a member 4, which there is not/],
    ['more than members', (json) => (json.approvals = [1, 2, 3, 4]), /at most 3/],
    ['that are no list', (json) => ((json as Record<string, unknown>)['approvals'] = {}), /must be a list/],
    ['that are null', (json) => ((json as Record<string, unknown>)['approvals'] = null), /must be a list/],
    ['in capitals', (json) => (json.approvals = [{ member: 1, signature: 'AB' }]), /lower-case hexadecimal/],
    ['too short', (json) => (json.approvals = [{ member: 1, signature: 'ab' }]), /not for this network/],
  ])('refuse the file: %s', (_name, change, words) => {
    const file = read(approved(signers), change)
    expect(file).toMatchObject({ ok: false, error: { code: 'ERR_NETWORK_APPROVAL' } })
    if (!file.ok) expect(file.error.message).toMatch(words)
  })

  it.each<[string, unknown, RegExp]>([
    ['a word more', { member: 1, signature: 'ab', date: 1 }, /approvals\[0\] has a field "date"/],
    ['an id that is none', { member: '1', signature: 'ab' }, /approvals\[0\]\.member is "1"/],
    ['no object', 7, /approvals\[0\] is 7, and must be an object/],
  ])('are read as strictly as the rest: %s', (_name, approval, words) => {
    const file = read(approved(signers), (json) => (json.approvals = [approval]))
    expect(file).toMatchObject({ ok: false, error: { code: 'ERR_NETWORK_FIELD' } })
    if (!file.ok) expect(file.error.message).toMatch(words)
  })
})
