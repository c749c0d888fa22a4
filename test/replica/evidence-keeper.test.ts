// Goal: a proven lie is on disk and told to the operator, once; what is no lie is not; and a disk that fails is told and hurts nobody.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encode } from '../../src/wire/codec.ts'
import { signingDomains } from '../../src/kernel/domains.ts'
import type { Evidence } from '../../src/kernel/evidence.ts'
import { executedHeaderCodec } from '../../src/kernel/executed-header.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import { EvidenceKeeper } from '../../src/replica/evidence-keeper.ts'
import { ReplicaEvents, type ReplicaEventMap } from '../../src/replica/events.ts'
import { evidenceLimitsDefault } from '../../src/storage/evidence/evidence-store.ts'
import { contradictionOf } from '../../src/protocols/pbft/evidence.ts'
import { ports, SignedGroup } from '../protocols/pbft/signed-group.ts'

const group = new SignedGroup()
let folder = ''
let accused: ReplicaEventMap['accused'][] = []
let noted: string[] = []
let keepers: EvidenceKeeper[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-evidence-'))
  accused = []
  noted = []
  keepers = []
})

afterEach(async () => {
  await Promise.all(keepers.map((keeper) => keeper.close()))
  rmSync(folder, { recursive: true, force: true })
})

function lie(liar: number, height: number, domain: 'checkpoint' | 'read-answer' = 'checkpoint'): Evidence {
  const replica = replicaId(liar)
  const said = (time: number) => {
    const body = encode(executedHeaderCodec, group.executed(group.block(height).header, { time }))
    return { body, signature: group.sign(replica, domain, body) }
  }
  const domainTag = signingDomains[domain]
  return { replica, protocol: 'pbft', epoch: 1, domainTag, first: said(1), second: said(2) }
}

async function open(): Promise<EvidenceKeeper> {
  const events = new ReplicaEvents()
  events.on('accused', (event) => accused.push(event))
  events.on('protocol', ({ kind }) => noted.push(kind))
  const definition = { name: 'pbft', contradiction: contradictionOf } as const
  const keeper = new EvidenceKeeper({ epoch: group.epoch, definition, verifier: ports.verifier, events })
  await keeper.open(folder, { signal: new AbortController().signal })
  keepers.push(keeper)
  return keeper
}

describe('the keeper of evidence', () => {
  it('keeps a lie, tells it once, and knows it after a restart', async () => {
    const keeper = await open()
    keeper.accuse(lie(2, 128))
    keeper.accuse(lie(2, 128))
    keeper.accuse(lie(3, 256))
    const about = { domain: 'checkpoint', isKept: true }
    expect(accused).toEqual([
      { ...about, replica: 2, about: 'height 128' },
      { ...about, replica: 3, about: 'height 256' },
    ])
    expect(keeper.status).toEqual({ count: 2, replicas: [2, 3], problem: null })
    expect(keeper.sentences()[0]).toBe(
      'has proof that replica 2 contradicts itself (height 128): quorate audit shows it',
    )
    await keeper.close()
    const again = await open()
    expect(again.status).toEqual({ count: 2, replicas: [2, 3], problem: null })
    again.accuse(lie(2, 128))
    expect(accused).toHaveLength(2)
  })

  it('accuses nobody of what is no lie', async () => {
    const keeper = await open()
    keeper.accuse({ ...lie(2, 128), replica: replicaId(3) })
    keeper.accuse(lie(2, 128, 'read-answer'))
    expect({ accused, noted, ...keeper.status }).toMatchObject({
      accused: [],
      noted: ['evidence-unfounded', 'evidence-unfounded'],
      count: 0,
    })
  })

  it('tells a folder that cannot be used, and goes on', async () => {
    writeFileSync(join(folder, 'evidence'), 'a file in the place of the folder')
    const keeper = await open()
    keeper.accuse(lie(2, 128))
    keeper.accuse(lie(2, 128))
    expect(noted).toEqual(['evidence-not-kept'])
    expect(accused).toEqual([{ replica: 2, domain: 'checkpoint', about: 'height 128', isKept: false }])
    expect(keeper.status).toMatchObject({ count: 0, replicas: [2], problem: expect.stringContaining('EEXIST') })
    expect(keeper.sentences()[1]).toMatch(/^keeps no evidence: /)
  })

  it('tells a file that cannot be written, and goes on', async () => {
    mkdirSync(join(folder, 'evidence', 'evidence'), { recursive: true })
    const keeper = await open()
    keeper.accuse(lie(2, 128))
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(noted).toEqual(['evidence-not-kept'])
    expect(keeper.status.problem).not.toBeNull()
  })

  it("lets the evidence of another network alone, and says whose fault it is that there isn't any", async () => {
    const first = await open()
    first.accuse(lie(2, 128))
    await first.close()
    const file = join(folder, 'evidence', 'evidence')
    const bytes = readFileSync(file)
    const other = new SignedGroup(4, 0, 9)
    const events = new ReplicaEvents()
    const definition = { name: 'pbft', contradiction: contradictionOf } as const
    const keeper = new EvidenceKeeper({ epoch: other.epoch, definition, verifier: ports.verifier, events })
    await keeper.open(folder, { signal: new AbortController().signal })
    expect(keeper.status.problem).toContain("another network's")
    expect(readFileSync(file).equals(bytes)).toBe(true)
  })

  it('does not judge what it would not keep', async () => {
    const keeper = await open()
    for (let height = 1; height <= evidenceLimitsDefault.perReplicaMax + 3; height++) keeper.accuse(lie(2, height))
    expect(keeper.status.count).toBe(evidenceLimitsDefault.perReplicaMax)
    expect(accused).toHaveLength(evidenceLimitsDefault.perReplicaMax)
  })
})
