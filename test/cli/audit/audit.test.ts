// Goal: what an audit calls verified is proven, and what is not is named, with whoever is to blame. Method: directories written by the
// stores' own code and signed with real keys; then one thing in them damaged, forged, or contradicted by another directory.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { walInspectCommand } from '../../../src/cli/commands/wal-inspect.ts'
import { walVerifyCommand } from '../../../src/cli/commands/wal-verify.ts'
import { UsageError } from '../../../src/cli/options.ts'
import { Failure } from '../../../src/cli/failure.ts'
import { blockDigest, type Block } from '../../../src/kernel/block.ts'
import { signingDomains } from '../../../src/kernel/domains.ts'
import type { Evidence } from '../../../src/kernel/evidence.ts'
import { replicaId, type ReplicaId, type View } from '../../../src/kernel/ids.ts'
import { statementCodec } from '../../../src/protocols/pbft/messages.ts'
import type { PbftRecord } from '../../../src/protocols/pbft/records.ts'
import { raftRecordCodec, type RaftRecord } from '../../../src/protocols/raft/records.ts'
import { encode } from '../../../src/wire/codec.ts'
import { ports } from '../../protocols/pbft/signed-group.ts'
import { AuditedNetwork, emptyRoot } from './audited-network.ts'

let net: AuditedNetwork

beforeEach(async () => {
  net = await new AuditedNetwork().make()
})

afterEach(() => net.remove())

function proposal({ header, payload }: Block, view: View): PbftRecord {
  const { group } = net
  const statement = { view, height: header.height, digest: blockDigest(ports.hasher, header) }
  return {
    kind: 'proposal',
    view,
    header,
    signature: group.vote(group.primary(view), 'pre-prepare', statement),
    payload,
  }
}

function decided(block: Block, view: View, signers: readonly ReplicaId[] = net.group.quorum): PbftRecord {
  return {
    kind: 'decided',
    header: block.header,
    view,
    commits: net.group.proof(block.header, view, signers).commits,
    payload: null,
  }
}

/** What a replica has on disk after a block, from its proposal on. */
function slot(block: Block, view: View): PbftRecord[] {
  return [
    proposal(block, view),
    { kind: 'prepared', certificate: net.group.certificate(block.header, view) },
    decided(block, view),
  ]
}

function history(): PbftRecord[] {
  const { group } = net
  const [first, second, third] = [1, 2, 3].map((height) => group.block(height)) as [Block, Block, Block]
  const checkpoint = group.checkpoint(second.header, { stateRoot: emptyRoot })
  const cited = group.quorum.map((sender) => ({ sender, digest: new Uint8Array(32).fill(sender) }))
  return [
    ...slot(first, 0),
    ...slot(second, 0),
    { kind: 'view-change', viewChange: group.viewChange(replicaId(1), 1, { checkpoint }) },
    { kind: 'view-change', viewChange: group.viewChange(replicaId(3), 1) },
    { kind: 'new-view', newView: group.newView(1, { cited }) },
    { kind: 'checkpoint', checkpoint },
    ...slot(third, 1),
  ]
}

function lie(liar: number, height = 7): Evidence {
  const replica = replicaId(liar)
  const said = (byte: number) => {
    const statement = { view: 1, height, digest: new Uint8Array(32).fill(byte) }
    return { body: encode(statementCodec, statement), signature: net.group.vote(replica, 'commit', statement) }
  }
  const domainTag = signingDomains['pbft-commit']
  return { replica, protocol: 'pbft', epoch: 1, domainTag, first: said(1), second: said(2) }
}

const withBitFlipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))

async function json(...args: string[]) {
  const { code, out } = await net.audit(...args, '--json')
  return {
    code,
    ...(JSON.parse(out) as {
      ok: boolean
      directories: { ok: boolean; faults: { where: string; what: string }[] }[]
      lies: object[]
      disagreements: { signedBoth: number[]; wrong: string[] | null }[]
      compared: number
    }),
  }
}

async function faultOf(id = 1): Promise<string> {
  const { code, directories } = await json(net.replica(id))
  expect(code).toBe(1)
  expect(directories[0]!.faults).toHaveLength(1)
  return directories[0]!.faults[0]!.what
}

describe('quorate audit', () => {
  it('verifies what is proven, in one directory and in all, and writes nothing', async () => {
    const block = net.group.block(2)
    const checkpoint = net.group.checkpoint(block.header, { stateRoot: emptyRoot })
    for (const id of [1, 2, 3, 4]) await net.log(id, history())
    for (const id of [1, 2, 3]) await net.snapshot(id, checkpoint)
    await net.snapshot(4, checkpoint, false)
    const before = net.contents()
    const one = await net.audit(net.replica(1))
    expect(one).toMatchObject({ code: 0, errors: '' })
    expect(one.out).toMatch(/^verified {2}replica 1 {2}.*: 13 records, 3 decisions, 1 of 1 states certified$/)
    const all = await json(...[1, 2, 3, 4].map((id) => net.replica(id)))
    expect(all).toMatchObject({ code: 0, ok: true, lies: [], disagreements: [], compared: 4 })
    expect((await net.audit(net.data(1), '--network', join(net.folder, 'net/network.json'))).code).toBe(0)
    expect((await net.audit(net.data(1))).code).toBe(0)
    expect(net.contents()).toBe(before)
  })

  it.each([
    [
      'a proposal',
      (): PbftRecord => ({ ...proposal(net.group.block(1), 0), view: 1 }) as PbftRecord,
      'a proposal of height 1, view 1, that its primary, replica 2, has not signed',
    ],
    [
      'a payload',
      () => ({ ...proposal(net.group.block(1), 0), payload: Uint8Array.of(1, 2, 3) }) as PbftRecord,
      'a proposal of height 1, view 0, with another payload than it names',
    ],
    [
      'a prepare',
      () => {
        const certificate = net.group.certificate(net.group.block(1).header, 0)
        const [first, second] = certificate.prepares
        return {
          kind: 'prepared',
          certificate: { ...certificate, prepares: [first!, { ...second!, signature: first!.signature }] },
        }
      },
      'a prepared certificate of height 1, view 0, with a wrong signature',
    ],
    [
      "a certificate's pre-prepare",
      () => {
        const certificate = net.group.certificate(net.group.block(1).header, 0)
        return { kind: 'prepared', certificate: { ...certificate, signature: certificate.prepares[0]!.signature } }
      },
      'a prepared certificate of height 1, view 0, with a wrong signature',
    ],
    [
      'a quorum of prepares',
      () => {
        const certificate = net.group.certificate(net.group.block(1).header, 0)
        return { kind: 'prepared', certificate: { ...certificate, prepares: certificate.prepares.slice(1) } }
      },
      'a prepared certificate of height 1, view 0, without a quorum',
    ],
    [
      'the prepares of others than the primary',
      () => {
        const certificate = net.group.certificate(net.group.block(1).header, 0)
        const { header } = certificate
        const statement = { view: 0, height: 1, digest: blockDigest(ports.hasher, header) }
        return {
          kind: 'prepared',
          certificate: {
            ...certificate,
            prepares: net.group.votes([replicaId(1), replicaId(2)], 'prepare', statement),
          },
        }
      },
      'a prepared certificate of height 1, view 0, without a quorum',
    ],
    [
      'a quorum of commits',
      () => decided(net.group.block(1), 0, [replicaId(1), replicaId(2)]),
      'a decision of height 1, view 0, with too few commits',
    ],
    [
      'a commit',
      () => ({ ...decided(net.group.block(1), 0), view: 1 }) as PbftRecord,
      'a decision of height 1, view 1, with a wrong signature',
    ],
    [
      "a decision's payload",
      () => ({ ...decided(net.group.block(1), 0), payload: Uint8Array.of(1, 2, 3) }) as PbftRecord,
      'a decision of height 1, view 0, with another payload than it names',
    ],
    [
      'a view change',
      () => ({ kind: 'view-change', viewChange: { ...net.group.viewChange(replicaId(3), 1), sender: replicaId(4) } }),
      'a view change to view 1 that replica 4 has not signed',
    ],
    [
      'a new view',
      () => ({
        kind: 'new-view',
        newView: {
          ...net.group.newView(1, {
            cited: net.group.quorum.map((sender) => ({ sender, digest: new Uint8Array(32) })),
          }),
          view: 2,
        },
      }),
      'a new view 2 that its primary, replica 3, has not signed',
    ],
    [
      'a quorum that asks for a new view',
      () => ({ kind: 'new-view', newView: net.group.newView(1) }),
      'a new view 1 that no quorum asked for',
    ],
    [
      'a checkpoint',
      () => ({
        kind: 'checkpoint',
        checkpoint: { ...net.group.checkpoint(net.group.block(2).header), block: net.group.block(3).header },
      }),
      'a checkpoint of height 2 with header and block do not fit',
    ],
  ] as [string, () => PbftRecord, string][])(
    'finds that %s is forged, though the log is sound',
    async (_what, forged, sentence) => {
      await net.log(1, [forged()])
      expect(await faultOf()).toBe(sentence)
    },
  )

  it('is of a log that the commands about logs read too', async () => {
    await net.log(1, history())
    expect(await net.run(walVerifyCommand, net.replica(1))).toMatchObject({ code: 0, errors: '' })
    const inspected = await net.run(walInspectCommand, net.replica(1), '--json')
    expect(JSON.parse(inspected.out)).toMatchObject({
      ok: true,
      unreadable: 0,
      proposals: 3,
      decisions: 3,
      'last view': 1,
      'last decided height': 3,
    })
    const { out } = await net.run(walInspectCommand, net.replica(1), '--records')
    expect(out.split('\n').map((line) => line.replace(/^\d+ {2}\d+ bytes {2}/, ''))).toEqual([
      'proposal of height 1, view 0, 9 bytes of payload',
      'prepared height 1, view 0',
      'decided height 1, view 0, commits of 1, 2, 3',
      'proposal of height 2, view 0, 9 bytes of payload',
      'prepared height 2, view 0',
      'decided height 2, view 0, commits of 1, 2, 3',
      'replica 1 asks for view 1, 0 prepared',
      'replica 3 asks for view 1, 0 prepared',
      'new view 1, asked for by 1, 2, 3',
      'checkpoint of height 2, signed by 1, 2, 3',
      'proposal of height 3, view 1, 9 bytes of payload',
      'prepared height 3, view 1',
      'decided height 3, view 1, commits of 1, 2, 3',
    ])
  })

  it('finds a flipped bit in the log, whatever it hits', async () => {
    await net.log(1, history())
    const file = join(net.data(1), 'log/log-0000000001')
    const sound = readFileSync(file)
    for (let at = 40; at < sound.length; at += 997) {
      writeFileSync(file, withBitFlipped(sound, at))
      expect(await faultOf()).toMatch(/ERR_LOG_CORRUPT/)
    }
    writeFileSync(file, sound)
    expect((await net.audit(net.replica(1))).code).toBe(0)
  })

  it('finds a record of another protocol', async () => {
    await net.append(1, [encode(raftRecordCodec, { kind: 'hard-state', term: 1, votedFor: 9 })])
    expect(await faultOf()).toMatch(/^it is none of pbft/)
  })

  it('finds a certificate that no quorum signed, and one that is damaged', async () => {
    const { header } = net.group.block(2)
    await net.snapshot(1, net.group.checkpoint(header, { stateRoot: emptyRoot }, [replicaId(1), replicaId(2)]))
    expect(await faultOf(1)).toBe('its certificate has too few signatures')
    await net.snapshot(2, net.group.checkpoint(header, { stateRoot: emptyRoot }))
    const file = join(net.data(2), 'snapshots/checkpoint-0000000000000002')
    writeFileSync(file, withBitFlipped(readFileSync(file), 50))
    expect(await faultOf(2)).toBe('its certificate is damaged')
  })

  it('finds a state that follows on another block than the log has decided', async () => {
    await net.log(1, slot(net.group.block(2), 0))
    await net.snapshot(1, net.group.checkpoint(net.group.block(2, 9).header, { stateRoot: emptyRoot }, []), false)
    expect(await faultOf()).toBe('it follows on another block than the log has decided')
  })

  it('shows the lies that evidence proves, and refuses evidence that proves none', async () => {
    await net.evidence(1, lie(2))
    const proven = await net.audit(net.replica(1))
    expect(proven.code).toBe(1)
    expect(proven.out).toMatch(/verified .*evidence of 1 lies/)
    expect(proven.out).toContain(
      'LIE  replica 2 has signed two statements that contradict each other: pbft-commit, view 1, height 7',
    )
    await net.evidence(2, { ...lie(2), replica: replicaId(3) })
    expect(await faultOf(2)).toBe('it shows nothing against replica 3: a wrong signature')
  })

  it('still verifies evidence when checkpoints have taken everything else of its time', async () => {
    await net.evidence(1, lie(2, 1))
    await net.log(1, slot(net.group.block(900), 3))
    expect(await json(net.replica(1))).toMatchObject({
      directories: [{ ok: true, evidence: 1 }],
      lies: [{ replica: 2 }],
    })
  })

  it('finds damaged evidence', async () => {
    await net.evidence(1, lie(2))
    const file = join(net.data(1), 'evidence/evidence')
    writeFileSync(file, withBitFlipped(readFileSync(file), 80))
    expect(await faultOf()).toMatch(/^\d+ bytes of the file are damaged$/)
  })

  it('finds two blocks decided at one height in one view, and names those who signed both', async () => {
    const [one, two] = [net.group.block(1, 1), net.group.block(1, 2)]
    const ids = net.group.membership.voters
    await net.log(1, [decided(one, 0, ids.slice(0, 3))])
    await net.log(2, [decided(two, 0, ids.slice(1, 4))])
    const { code, directories, lies, disagreements } = await json(net.replica(1), net.replica(2))
    expect({ code, sound: directories.map(({ ok }) => ok) }).toEqual({ code: 1, sound: [true, true] })
    expect(disagreements).toMatchObject([{ kind: 'block', height: 1, signedBoth: [2, 3], wrong: null }])
    expect(lies).toMatchObject([
      { replica: 2, domain: 'pbft-commit', about: 'view 0, height 1' },
      { replica: 3, domain: 'pbft-commit', about: 'view 0, height 1' },
    ])
    const { out } = await net.audit(net.replica(1), net.replica(2))
    expect(out).toContain('replicas 2, 3 signed both')
  })

  it('finds the fork also across views, and accuses nobody of a contradiction then', async () => {
    await net.log(1, [decided(net.group.block(1, 1), 0)])
    await net.log(2, [decided(net.group.block(1, 2), 1)])
    const { disagreements, lies } = await json(net.replica(1), net.replica(2))
    expect(disagreements).toMatchObject([{ signedBoth: [1, 2, 3], versions: [{ views: [0] }, { views: [1] }] }])
    expect(lies).toEqual([])
  })

  it('finds that one replica asked for one view in two ways, each in another directory', async () => {
    const { group } = net
    const checkpoint = group.checkpoint(group.block(2).header)
    await net.log(1, [{ kind: 'view-change', viewChange: group.viewChange(replicaId(3), 1) }])
    await net.log(2, [{ kind: 'view-change', viewChange: group.viewChange(replicaId(3), 1, { checkpoint }) }])
    const { lies } = await json(net.replica(1), net.replica(2))
    expect(lies).toMatchObject([{ replica: 3, domain: 'pbft-view-change', about: 'view 1' }])
  })

  describe('of states that differ', () => {
    const state = (byte: number) => {
      const checkpoint = net.group.checkpoint(net.group.block(2).header, {
        stateRoot: emptyRoot,
        resultsRoot: new Uint8Array(32).fill(byte),
      })
      return checkpoint
    }

    it('believes most directories', async () => {
      await net.snapshot(1, state(1), false)
      await net.snapshot(2, state(2), false)
      await net.snapshot(3, state(1), false)
      const { code, disagreements } = await json(net.replica(1), net.replica(2), net.replica(3))
      expect({ code, wrong: disagreements.map(({ wrong }) => wrong) }).toEqual({ code: 1, wrong: [[net.data(2)]] })
    })

    it('says of a tie that it is unknown', async () => {
      await net.snapshot(1, state(1), false)
      await net.snapshot(2, state(2), false)
      const { disagreements } = await json(net.replica(1), net.replica(2))
      expect(disagreements).toMatchObject([{ kind: 'state', height: 2, wrong: null, signedBoth: [] }])
      expect((await net.audit(net.replica(1), net.replica(2))).out).toContain('which of them is wrong is unknown')
    })

    it('believes a certificate more than most directories', async () => {
      await net.snapshot(1, state(1), false)
      await net.snapshot(2, state(1), false)
      await net.snapshot(3, state(2))
      const { disagreements } = await json(net.replica(1), net.replica(2), net.replica(3))
      expect(disagreements).toMatchObject([{ wrong: [net.data(1), net.data(2)] }])
    })

    it('names those who signed two certificates', async () => {
      await net.snapshot(1, state(1))
      await net.snapshot(2, state(2))
      const { disagreements, lies } = await json(net.replica(1), net.replica(2))
      expect(disagreements).toMatchObject([{ signedBoth: [1, 2, 3], wrong: null }])
      expect(lies).toHaveLength(3)
    })
  })

  it('refuses another network, and what it was not told', async () => {
    const other = await new AuditedNetwork().make()
    await expect(net.audit(net.replica(1), other.replica(2))).rejects.toThrow(Failure)
    other.remove()
    await expect(net.audit()).rejects.toThrow(UsageError)
    await expect(net.audit(net.replica(1), net.replica(1))).rejects.toThrow(/once/)
    await expect(
      net.audit(join(net.folder, 'nothing'), '--network', join(net.folder, 'net/network.json')),
    ).rejects.toThrow(Failure)
  })
})

describe('quorate audit of raft', () => {
  const entries = (term: number, ...blocks: Block[]): Uint8Array => {
    const record: RaftRecord = {
      kind: 'entries',
      firstIndex: blocks[0]!.header.height,
      entries: blocks.map((block) => ({ term, block })),
    }
    return encode(raftRecordCodec, record)
  }

  beforeEach(async () => {
    net.remove()
    net = await new AuditedNetwork().make('raft')
  })

  it('verifies payloads and heights, and that logs agree on each entry of one term', async () => {
    const blocks = [1, 2, 3].map((height) => net.group.block(height))
    for (const id of [1, 2]) await net.append(id, [entries(1, ...blocks)])
    // Of a later term: one of them was never committed, and neither is wrong.
    await net.append(2, [entries(2, net.group.block(3, 9))])
    expect(await json(net.replica(1), net.replica(2))).toMatchObject({ code: 0, ok: true, compared: 3 })
    await net.append(3, [entries(1, net.group.block(2, 9))])
    const { disagreements } = await json(...[1, 2, 3].map((id) => net.replica(id)))
    expect(disagreements).toMatchObject([{ kind: 'entry', height: 2, term: 1, wrong: [net.data(3)] }])
  })

  it('finds a payload that is not the one of its header, and a block at another height', async () => {
    await net.append(1, [entries(1, { ...net.group.block(1), payload: Uint8Array.of(0, 0, 0, 0) })])
    expect(await faultOf(1)).toBe('entry 1 of term 1 has another payload than it names')
    const { header, payload } = net.group.block(2)
    await net.append(2, [
      encode(raftRecordCodec, { kind: 'entries', firstIndex: 1, entries: [{ term: 1, block: { header, payload } }] }),
    ])
    expect(await faultOf(2)).toBe('entry 1 of term 1 holds a block of height 2')
  })
})
