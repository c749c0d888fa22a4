// A log on disk, looked at by people: what is sound is said to be, what is not is named, and nothing is ever written.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { walInspectCommand } from '../../src/cli/commands/wal-inspect.ts'
import { walVerifyCommand } from '../../src/cli/commands/wal-verify.ts'
import { Failure } from '../../src/cli/failure.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import { hotstuffRecordCodec, type HotstuffRecord } from '../../src/protocols/hotstuff/records.ts'
import { raftRecordCodec, type RaftRecord } from '../../src/protocols/raft/records.ts'
import { SeenIncarnations } from '../../src/storage/log/seen-incarnations.ts'
import { crc32 } from '../../src/storage/node/crc32.ts'
import { createDataDirectory } from '../../src/storage/node/create-data-directory.ts'
import { openNodeDirectory } from '../../src/storage/node/node-directory.ts'
import { openDataDirectory } from '../../src/storage/node/open-data-directory.ts'
import { encode } from '../../src/wire/codec.ts'

const identity = { network: new Uint8Array(32).fill(7), replica: 2 }
const records: RaftRecord[] = [
  { kind: 'hard-state', term: 1, votedFor: 2 },
  { kind: 'hard-state', term: 2, votedFor: 0 },
  { kind: 'hard-state', term: 5, votedFor: 1 },
]
let folder = ''
let data = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-wal-'))
  data = join(folder, 'data')
  await createDataDirectory(data, identity)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function write(bodies: readonly Uint8Array[], rejoin = false): Promise<void> {
  const durable = { upTo: 0, wake: (): void => {} }
  const listener = {
    durable: (upTo: number) => {
      durable.upTo = upTo
      durable.wake()
    },
    full: () => {},
    failed: () => {},
  }
  const { log, close } = await openDataDirectory(data, { ...identity, listener, rejoin })
  const last = Math.max(...bodies.map((body) => log.append(body)))
  log.flush()
  while (durable.upTo < last) await new Promise<void>((resolve) => (durable.wake = resolve))
  await close()
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at]! ^= 1
  writeFileSync(file, bytes)
}

/** As the release before this one wrote it: without a voice. */
function otherFormat(): void {
  const file = join(data, 'log/identity')
  const body = Buffer.concat([Buffer.from([1, 0]), readFileSync(file).subarray(2, 36)])
  const sum = Buffer.alloc(4)
  sum.writeUInt32LE(crc32(body, 0))
  writeFileSync(file, Buffer.concat([body, sum]))
}

/** A folder is what no user can read as a file. */
function unreadable(file: string): void {
  rmSync(file)
  mkdirSync(file)
}

async function seenByOthers(incarnation: number): Promise<void> {
  const directory = openNodeDirectory(join(data, 'peers'))
  const seen = new SeenIncarnations(directory, crc32)
  await new Promise((resolve) => seen.noteOwn(incarnation, resolve))
  seen.close()
  await directory.close()
}

async function run(
  command: Command,
  ...args: readonly string[]
): Promise<{ code: number; out: string; error: string }> {
  const out: string[] = []
  const error: string[] = []
  const same = (text: string): string => text
  const output = { progress: () => {}, bold: same, red: same, green: same }
  const code = await command.run(args, { ...output, out: (line) => out.push(line), error: (line) => error.push(line) })
  return { code, out: out.join('\n'), error: error.join('\n') }
}

function contents(): string {
  const log = join(data, 'log')
  return readdirSync(log)
    .sort()
    .map((name) => `${name}:${readFileSync(join(log, name)).toString('hex')}`)
    .join('\n')
}

describe('quorate wal', () => {
  it('says that a sound log is sound, what it holds, and writes nothing', async () => {
    await write(records.map((record) => encode(raftRecordCodec, record)))
    const before = contents()
    const verified = await run(walVerifyCommand, folder)
    expect(verified).toMatchObject({ code: 0, error: '' })
    expect(verified.out).toContain('sound: 3 records')
    const inspected = await run(walInspectCommand, data, '--json')
    expect(JSON.parse(inspected.out)).toMatchObject({
      ok: true,
      replica: 2,
      network: '07'.repeat(32),
      incarnation: 1,
      records: 3,
      'hard states': 3,
      'last term': 5,
    })
    const listed = await run(walInspectCommand, data, '--records', '--from', '3', '--limit', '1')
    expect(listed.out).toMatch(/^3 {2}\d+ bytes {2}term 2, no vote$/)
    expect(contents()).toBe(before)
  })

  it('tells a torn tail, which a start would cut, from corruption, which it would refuse', async () => {
    await write(records.map((record) => encode(raftRecordCodec, record)))
    const segment = join(data, 'log', 'log-0000000001')
    const sound = readFileSync(segment)
    writeFileSync(segment, Buffer.concat([sound, Buffer.from([1, 2, 3])]))
    const torn = await run(walVerifyCommand, data, '--json')
    expect(torn.code).toBe(0)
    expect(JSON.parse(torn.out)).toMatchObject({ ok: true, records: 3, tornBytes: 3 })
    truncateSync(segment, sound.length - 1)
    const corrupt = await run(walVerifyCommand, data)
    expect(corrupt.code).toBe(1)
    expect(corrupt.error).toMatch(/^log-0000000001 is corrupt at byte \d+: .*\(ERR_LOG_CORRUPT\)$/)
    const shown = await run(walInspectCommand, data)
    expect(shown.code).toBe(1)
    expect(shown.out).toContain('log-0000000001')
  })

  it('tells what a log of hotstuff holds, in words', async () => {
    const votes = [1, 2, 3].map((replica) => ({ replica: replicaId(replica), signature: new Uint8Array(64) }))
    const certificate = { view: 6, node: new Uint8Array(32), votes }
    const header = { epoch: 1, height: 4, timestamp: 5, payloadDigest: new Uint8Array(32) }
    const signature = new Uint8Array(64)
    const proposal = {
      view: 7,
      header,
      payload: new Uint8Array(4),
      justify: certificate,
      timeouts: null,
      extended: null,
      signature,
    }
    const headers = [{ block: header, view: 6, parent: new Uint8Array(32), absent: [], lately: [] }]
    const written: HotstuffRecord[] = [
      { kind: 'voted', proposal, lock: { view: 5, node: new Uint8Array(32) } },
      { kind: 'timeout', timeout: { view: 8, certificateView: 6, certificate, signature } },
      {
        kind: 'timeouts',
        timeouts: {
          view: 8,
          timeouts: votes.map(({ replica, signature: by }) => ({ replica, certificateView: 6, signature: by })),
        },
        certificate,
      },
      { kind: 'decided', headers, certificates: [certificate], payload: null },
      { kind: 'promises', votedView: 8, certificate, lock: null, certifiedHeight: 4 },
    ]
    await write(written.map((record) => encode(hotstuffRecordCodec, record)))
    const inspected = JSON.parse((await run(walInspectCommand, data, '--json')).out)
    const totals = { records: 5, proposals: 1, decisions: 1, 'last view': 8, 'last decided height': 4, unreadable: 0 }
    expect(inspected).toMatchObject({ ok: true, ...totals })
    const listed = (await run(walInspectCommand, data, '--records')).out.replace(/^\d+ {2}\d+ bytes {2}/gm, '')
    expect(listed.split('\n')).toEqual([
      'vote for height 4, view 7, 4 bytes of payload, on the certificate of view 6 by 1, 2, 3, locked on view 5',
      'gives up view 8, with the certificate of view 6 by 1, 2, 3',
      'view 8 given up by 1, 2, 3, with the certificate of view 6 by 1, 2, 3',
      'decided height 4, view 6, by the certificate of view 6 by 1, 2, 3',
      'has voted up to view 8 and certificates up to height 4, with the certificate of view 6 by 1, 2, 3',
    ])
  })

  it('names a record that is sound and of another release', async () => {
    await write([encode(raftRecordCodec, records[0]!), new Uint8Array([99])])
    const verified = await run(walVerifyCommand, data)
    expect(verified.code).toBe(1)
    expect(verified.error).toContain('record 3')
    expect(verified.error).toContain('ERR_LOG_FORMAT_VERSION')
    for (const args of [[], ['--records'], ['--records', '--limit', '1'], ['--json']]) {
      const inspected = await run(walInspectCommand, data, ...args)
      expect(inspected).toMatchObject({
        code: 1,
        error: expect.stringContaining('1 records are sound and cannot be read'),
      })
    }
    expect((await run(walInspectCommand, data, '--records')).out).toContain('cannot be read by this release')
  })

  it.each([
    ['a segment that is gone', 'ERR_LOG_CORRUPT', () => rmSync(join(data, 'log/log-0000000001'))],
    ['a note that is gone', 'ERR_LOG_CORRUPT', () => rmSync(join(data, 'log/synced'))],
    ['an identity that is gone', 'ERR_LOG_CORRUPT', () => rmSync(join(data, 'log/identity'))],
    ['a flipped bit', 'ERR_LOG_CORRUPT', () => flip(join(data, 'log/log-0000000001'), 60)],
    ['a log of another format', 'ERR_LOG_FORMAT_VERSION', () => otherFormat()],
    ['a log that cannot be read', 'ERR_LOG_UNREADABLE', () => unreadable(join(data, 'log/log-0000000001'))],
    ['an identity that cannot be read', 'ERR_LOG_UNREADABLE', () => unreadable(join(data, 'log/identity'))],
    [
      'an empty folder',
      'ERR_DATA_DIRECTORY_MISSING',
      () => readdirSync(join(data, 'log')).map((name) => rmSync(join(data, 'log', name))),
    ],
    ['an old copy', 'ERR_LOG_OUTDATED', () => seenByOthers(9)],
  ] as const)('ends with code 1 for %s, from both commands, and names it', async (_what, code, damage) => {
    await write(records.map((record) => encode(raftRecordCodec, record)))
    await damage()
    for (const command of [walVerifyCommand, walInspectCommand]) {
      // What main makes of a Failure.
      const ended = await run(command, data).catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error
        return { code: 1, error: `${error.message} (${error.code})` }
      })
      expect(ended.code).toBe(1)
      expect(ended.error).toMatch(new RegExp(`\\(${code}\\)$`))
    }
  })

  it('says of a log that abstains that it is sound and has no vote, and reads the one that was set aside', async () => {
    await write(records.map((record) => encode(raftRecordCodec, record)))
    rmSync(join(data, 'log/identity'))
    await write([encode(raftRecordCodec, records[0]!)], true)
    const verified = await run(walVerifyCommand, folder)
    expect(verified).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^sound: 1 records.*follows without a vote$/),
    })
    expect(JSON.parse((await run(walVerifyCommand, folder, '--json')).out)).toMatchObject({
      ok: true,
      voice: 'abstains',
    })
    expect((await run(walInspectCommand, folder)).out).toMatch(/^voice +abstains$/m)
    await expect(run(walInspectCommand, join(data, 'log.set-aside-1'))).rejects.toThrow(/does not say whose log it is/)
    flip(join(data, 'log/log-0000000001'), 60)
    await write([encode(raftRecordCodec, records[0]!)], true)
    const aside = await run(walVerifyCommand, join(data, 'log.set-aside-2'))
    expect(aside).toMatchObject({ code: 1, error: expect.stringContaining('ERR_LOG_CORRUPT') })
  })

  it('warns of a log that somebody has open, and refuses what is no log', async () => {
    writeFileSync(join(data, 'lock'), '{}')
    expect((await run(walVerifyCommand, data)).error).toContain('has this log open')
    await expect(run(walVerifyCommand, join(folder, 'nothing'))).rejects.toThrow(Failure)
    writeFileSync(join(data, 'log', 'identity'), 'damaged')
    await expect(run(walInspectCommand, data)).rejects.toThrow(/does not say whose log it is/)
  })
})
