// Goal: evidence outlives restarts, torn writes and rot around it, and takes no more of the disk than its share. Method: files in memory, cut
// and flipped at every byte, with real signatures in them.

import { beforeEach, describe, expect, it } from 'vitest'
import { encode } from '../../../src/wire/codec.ts'
import { signingDomains } from '../../../src/kernel/domains.ts'
import type { Evidence } from '../../../src/kernel/evidence.ts'
import { replicaId } from '../../../src/kernel/ids.ts'
import { judgeEvidence } from '../../../src/kernel/judge-evidence.ts'
import { contradictionOf } from '../../../src/protocols/pbft/evidence.ts'
import { statementCodec } from '../../../src/protocols/pbft/messages.ts'
import type { FileError } from '../../../src/storage/log/file-port.ts'
import { readEvidence, type EvidenceScan } from '../../../src/storage/evidence/evidence-reader.ts'
import {
  evidenceLimitsDefault,
  EvidenceStore,
  type EvidenceLimits,
} from '../../../src/storage/evidence/evidence-store.ts'
import { evidenceFile, evidenceHeadBytes } from '../../../src/storage/evidence/format.ts'
import { crc32 } from '../../../src/storage/node/crc32.ts'
import { ports, SignedGroup } from '../../protocols/pbft/signed-group.ts'
import { MemoryDirectory } from '../node/memory-directory.ts'

const group = new SignedGroup()
const network = group.epoch.network
const definition = { name: 'pbft', contradiction: contradictionOf } as const

function lie(liar: number, height: number): Evidence {
  const replica = replicaId(liar)
  const said = (byte: number) => {
    const statement = { view: 1, height, digest: new Uint8Array(32).fill(byte) }
    return { body: encode(statementCodec, statement), signature: group.vote(replica, 'commit', statement) }
  }
  const domainTag = signingDomains['pbft-commit']
  return { replica, protocol: 'pbft', epoch: 1, domainTag, first: said(1), second: said(2) }
}

const aboutOf = (evidence: Evidence): string | null => {
  const verdict = judgeEvidence(evidence, group.epoch, definition, ports.verifier)
  return verdict.ok ? verdict.about : null
}

let directory: MemoryDirectory
let told: (FileError | 'durable')[]

beforeEach(() => {
  directory = new MemoryDirectory(new Map())
  told = []
})

function scan(of = directory): EvidenceScan & { found: Evidence[]; sizes: number[] } {
  const reading = readEvidence({ directory: of, crc32 })
  const found: Evidence[] = []
  const sizes: number[] = []
  for (;;) {
    const next = reading.next()
    if (next.done === true) return { ...next.value, found, sizes }
    found.push(next.value.evidence)
    sizes.push(next.value.bytes)
  }
}

function open(limits: EvidenceLimits = evidenceLimitsDefault, of = directory): EvidenceStore {
  const { head, end, found, sizes } = scan(of)
  const listener = { durable: () => void told.push('durable'), failed: (error: FileError) => void told.push(error) }
  const store = new EvidenceStore({ directory: of, crc32, network, listener, limits, end, hasHead: head !== null })
  for (const [index, evidence] of found.entries()) store.found(evidence, aboutOf(evidence) ?? '', sizes[index]!)
  return store
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function keep(store: EvidenceStore, ...all: Evidence[]): Promise<string[]> {
  const kept = all.map((evidence) => store.add(evidence, aboutOf(evidence)!))
  for (let turn = 0; turn < 20; turn++) await settled()
  return kept
}

describe('evidence on disk', () => {
  it('is what was kept, and still shows what it showed', async () => {
    const all = [lie(2, 5), lie(3, 5), lie(2, 6)]
    expect(await keep(open(), ...all)).toEqual(['kept', 'kept', 'kept'])
    expect(told).toEqual(['durable'])
    const { found, damagedBytes, head } = scan()
    expect(found).toEqual(all)
    expect(found.map(aboutOf)).toEqual(['view 1, height 5', 'view 1, height 5', 'view 1, height 6'])
    expect({ damagedBytes, network: head?.network }).toEqual({ damagedBytes: 0, network })
  })

  it('is kept once about each thing, also after a restart', async () => {
    expect(await keep(open(), lie(2, 5), lie(2, 5))).toEqual(['kept', 'known'])
    const again = open()
    expect(again.count).toBe(1)
    expect(await keep(again, lie(2, 5), lie(2, 7))).toEqual(['known', 'kept'])
    expect(scan().found).toHaveLength(2)
  })

  it('of a liar fills its own share, and leaves room for the next', async () => {
    const limits = { ...evidenceLimitsDefault, perReplicaMax: 2 }
    expect(await keep(open(limits), lie(2, 5), lie(2, 6), lie(2, 7), lie(3, 5))).toEqual([
      'kept',
      'kept',
      'full',
      'kept',
    ])
    const again = open(limits)
    expect([again.hasRoom(replicaId(2)), again.hasRoom(replicaId(3))]).toEqual([false, true])
    expect(await keep(again, lie(2, 8))).toEqual(['full'])
  })

  it('takes no more bytes than it may, of one replica and in all', async () => {
    await keep(open(), lie(2, 5))
    const one = scan().sizes[0]!
    const start = (): void => directory.files.clear()
    start()
    const share = { ...evidenceLimitsDefault, perReplicaBytesMax: 2 * one + 1 }
    expect(await keep(open(share), lie(2, 5), lie(2, 6), lie(2, 7), lie(3, 7))).toEqual([
      'kept',
      'kept',
      'full',
      'kept',
    ])
    start()
    const total = { ...evidenceLimitsDefault, bytesMax: evidenceHeadBytes + 2 * one }
    expect(await keep(open(total), lie(2, 5), lie(3, 6), lie(4, 7))).toEqual(['kept', 'kept', 'full'])
    expect(directory.size(evidenceFile)).toBe(evidenceHeadBytes + 2 * one)
  })

  it('that is too large to be written is refused, and hurts nobody', async () => {
    const huge = { ...lie(2, 5), first: { body: new Uint8Array(5 * 1024 * 1024), signature: new Uint8Array(64) } }
    const store = open()
    expect(store.add(huge, 'view 1')).toBe('full')
    expect(await keep(store, lie(2, 5))).toEqual(['kept'])
    expect(scan().found).toHaveLength(1)
  })

  it('cut at any byte: what is whole before the cut is found, and the next is written behind it', async () => {
    const all = [lie(2, 5), lie(3, 5), lie(4, 6)]
    await keep(open(), ...all)
    const whole = directory.files.get(evidenceFile)!
    const { sizes } = scan()
    const ends = sizes.map(
      (_, index) => evidenceHeadBytes + sizes.slice(0, index + 1).reduce((sum, size) => sum + size),
    )
    for (let length = 0; length <= whole.length; length++) {
      const cut = new MemoryDirectory(new Map([[evidenceFile, whole.slice(0, length)]]))
      const expected = ends.filter((end) => end <= length).length
      const { found } = scan(cut)
      expect(found).toEqual(all.slice(0, expected))
      if (length % 17 !== 0) continue
      await keep(open(evidenceLimitsDefault, cut), lie(2, 9))
      expect(scan(cut).found).toEqual([...all.slice(0, expected), lie(2, 9)])
      expect(scan(cut).head?.network).toEqual(network)
    }
  })

  it('flipped at any byte: only what the byte belongs to is gone, and it is said', async () => {
    const all = [lie(2, 5), lie(3, 5), lie(4, 6)]
    await keep(open(), ...all)
    const whole = directory.files.get(evidenceFile)!
    const size = scan().sizes[0]!
    for (let at = 0; at < whole.length; at++) {
      const bytes = Uint8Array.from(whole)
      bytes[at]! ^= 0x20
      const { found, damagedBytes } = scan(new MemoryDirectory(new Map([[evidenceFile, bytes]])))
      const hit = at < evidenceHeadBytes ? -1 : Math.floor((at - evidenceHeadBytes) / size)
      expect(found).toEqual(all.filter((_, index) => index !== hit))
      expect(damagedBytes).toBe(hit < 0 ? evidenceHeadBytes : size)
    }
  })

  it('gets a new head where the old one is damaged, and keeps what stands behind it', async () => {
    await keep(open(), lie(2, 5))
    const bytes = Uint8Array.from(directory.files.get(evidenceFile)!)
    bytes[3]! ^= 1
    directory.files.set(evidenceFile, bytes)
    expect(scan().head).toBeNull()
    await keep(open(), lie(3, 5))
    expect(scan()).toMatchObject({ head: { network }, damagedBytes: 0, found: [lie(2, 5), lie(3, 5)] })
  })

  it('at another place than where it was written is none', async () => {
    await keep(open(), lie(2, 5), lie(3, 5))
    const whole = directory.files.get(evidenceFile)!
    const size = scan().sizes[0]!
    const second = whole.slice(evidenceHeadBytes + size)
    const moved = Uint8Array.from([...whole.slice(0, evidenceHeadBytes), ...second])
    expect(scan(new MemoryDirectory(new Map([[evidenceFile, moved]]))).found).toEqual([])
  })

  it('that cannot be written is told once, and the store goes on saying so', async () => {
    const failing = new MemoryDirectory(new Map())
    const error: FileError = { code: 'ERR_DISK_FULL', message: 'no room' }
    failing.open = () => ({
      write: (_offset, _bytes, done) => void queueMicrotask(() => done(error)),
      sync: (done) => void queueMicrotask(() => done(error)),
      truncate: () => {},
      close: () => {},
    })
    const store = open(evidenceLimitsDefault, failing)
    expect(await keep(store, lie(2, 5), lie(2, 6))).toEqual(['kept', 'kept'])
    expect(told).toEqual([error])
    expect(await keep(store, lie(2, 7))).toEqual(['lost'])
    expect(told).toEqual([error])
  })
})
