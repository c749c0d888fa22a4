// A bad network file is refused in one clear sentence; whatever the text, nothing is thrown.

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../src/crypto/node/sha256-hasher.ts'
import { networkFileBytesMax, parseNetworkFile } from '../../src/kernel/network-file.ts'
import { canonicalNetworkText } from '../../src/kernel/network-text.ts'
import { parameterBounds } from '../../src/kernel/parameters.ts'
import { createSimulatedSuite, simulatedHasher } from '../../src/simulator/simulated-suite.ts'

const suite = createSimulatedSuite()
const ports = {
  hasher: simulatedHasher,
  suite: { ...suite, isValidPublicKey: (key: Uint8Array) => key.length === 32 && key[0] !== 0xff },
}

function keyOf(number: number): string {
  return number.toString(16).padStart(2, '0').repeat(32)
}

function file(voters: number, changes: Record<string, unknown> = {}) {
  const members = Array.from({ length: voters }, (_, index) => ({
    id: index + 1,
    name: `org-${index + 1}`,
    consensusKey: keyOf(index + 1),
    linkKey: keyOf(index + 101),
    addresses: ['/ip4/127.0.0.1/tcp/4001'],
  }))
  return { version: 1, name: 'test', protocol: 'raft', members, ...changes }
}

const parse = (value: unknown) => parseNetworkFile(typeof value === 'string' ? value : JSON.stringify(value), ports)

function changed(path: readonly (string | number)[], value: unknown, voters = 3) {
  const whole = file(voters) as Record<string | number, unknown>
  let place = whole
  for (const step of path.slice(0, -1)) place = (place[step] ??= {}) as Record<string | number, unknown>
  place[path.at(-1)!] = value
  return whole
}

describe('a network file', () => {
  it('becomes an epoch, with defaults for what it does not say', () => {
    const parsed = parse(changed(['parameters'], { timers: { timeoutMsBase: 500 } }))
    expect(parsed).toMatchObject({ ok: true, warnings: [] })
    if (!parsed.ok) return
    expect(parsed.epoch).toMatchObject({ number: 1, firstHeight: 1, protocol: 'raft' })
    expect(parsed.epoch.parameters.timers).toMatchObject({ timeoutMsBase: 500, heartbeatMs: 100 })
    expect(parsed.epoch.parameters.envelopeSignatures).toBe('link')
    expect(parsed.epoch.members.map((member) => member.id)).toEqual([1, 2, 3])
  })

  it('has one network id for all that means the same, and another for anything else', () => {
    const id = (value: unknown) => {
      const parsed = parse(value)
      return parsed.ok ? parsed.epoch.network.join() : parsed.error.message
    }
    const base = file(3)
    expect(id({ ...base, members: [...base.members].reverse() })).toBe(id(base))
    expect(id({ ...base, parameters: { timers: { timeoutMsBase: 1000 } } })).toBe(id(base))
    expect(id({ ...base, suite: suite.name, envelopeSignatures: 'link' })).toBe(id(base))
    const said = base.members.map((member) => ({ ...member, role: 'voter', priority: -0 }))
    expect(id({ ...base, members: said })).toBe(id(base))
    expect(id({ ...base, name: 'other' })).not.toBe(id(base))
    expect(id({ ...base, envelopeSignatures: 'required' })).not.toBe(id(base))
    expect(id(changed(['members', 2, 'priority'], 1))).not.toBe(id(base))
    expect(id(changed(['members', 2, 'addresses'], []))).not.toBe(id(base))
    expect(id({ ...base, parameters: { timers: { timeoutMsBase: 999 } } })).not.toBe(id(base))
  })

  it.each([
    ['unknown protocol', changed(['protocol'], 'paxos'), 'ERR_NETWORK_PROTOCOL', /"paxos".*raft, pbft, hotstuff/],
    ['no protocol', changed(['protocol'], undefined), 'ERR_NETWORK_PROTOCOL', /missing/],
    [
      'two equal keys',
      changed(['members', 1, 'consensusKey'], keyOf(1)),
      'ERR_NETWORK_DUPLICATE',
      /consensusKey of org-1 and consensusKey of org-2/,
    ],
    [
      'a link key that is a consensus key',
      changed(['members', 1, 'linkKey'], keyOf(1)),
      'ERR_NETWORK_DUPLICATE',
      /org-1 and linkKey of org-2/,
    ],
    ['two equal ids', changed(['members', 1, 'id'], 1), 'ERR_NETWORK_DUPLICATE', /same id 1/],
    ['two equal names', changed(['members', 1, 'name'], 'org-1'), 'ERR_NETWORK_DUPLICATE', /same name org-1/],
    ['too few for raft', file(2), 'ERR_NETWORK_TOO_FEW', /2 voters survives no crash: name at least 3/],
    ['too few for pbft', file(3, { protocol: 'pbft' }), 'ERR_NETWORK_TOO_FEW', /at least 4/],
    ['learners do not count', changed(['members', 2, 'role'], 'learner'), 'ERR_NETWORK_TOO_FEW', /2 voters/],
    ['a role that is none', changed(['members', 2, 'role'], 'boss'), 'ERR_NETWORK_FIELD', /members\[2\]\.role/],
    [
      'link signatures in byzantine mode',
      file(4, { protocol: 'pbft', envelopeSignatures: 'link' }),
      'ERR_NETWORK_SIGNATURES',
      /say required/,
    ],
    [
      'an invalid key',
      changed(['members', 0, 'consensusKey'], 'ff'.repeat(32)),
      'ERR_NETWORK_KEY',
      /members\[0\]\.consensusKey/,
    ],
    ['a key in capitals', changed(['members', 0, 'linkKey'], 'AB'.repeat(32)), 'ERR_NETWORK_KEY', /lower-case/],
    ['a field misspelt', changed(['members', 0, 'adresses'], []), 'ERR_NETWORK_FIELD', /"adresses".*addresses/],
    [
      'a parameter misspelt',
      changed(['parameters', 'timers', 'timeout'], 5),
      'ERR_NETWORK_FIELD',
      /parameters\.timers has a field "timeout"/,
    ],
    [
      'a parameter out of bounds',
      changed(['parameters', 'batch', 'operationsMax'], 0),
      'ERR_NETWORK_FIELD',
      /from 1 to 16384/,
    ],
    [
      'a parameter that is no number',
      changed(['parameters', 'batch', 'bytesMax'], '1e9'),
      'ERR_NETWORK_FIELD',
      /bytesMax is "1e9"/,
    ],
    ['a flag that is none', changed(['parameters', 'raft', 'preVote'], 1), 'ERR_NETWORK_FIELD', /true or false/],
    [
      'heartbeats slower than timeouts',
      changed(['parameters', 'timers', 'heartbeatMs'], 2000),
      'ERR_NETWORK_FIELD',
      /below timeoutMsBase/,
    ],
    ['another version', changed(['version'], 2), 'ERR_NETWORK_VERSION', /version is 2/],
    ['another suite', changed(['suite'], 'rot13'), 'ERR_NETWORK_FIELD', /suite is "rot13"/],
    [
      'an address that is none',
      changed(['members', 0, 'addresses'], ['localhost:80']),
      'ERR_NETWORK_FIELD',
      /multiaddresses/,
    ],
    ['no object', '[]', 'ERR_NETWORK_FIELD', /must be an object/],
    [
      'a byte-order mark',
      `\ufeff${JSON.stringify(file(3))}`,
      'ERR_NETWORK_SYNTAX',
      /begins with a byte-order mark: save it as UTF-8 without one/,
    ],
    ['no JSON', '{"version": 1,', 'ERR_NETWORK_SYNTAX', /line 1 has no name in quotes/],
    ['a comma that is missing', '{\n"version": 1\n"name": "a"}', 'ERR_NETWORK_SYNTAX', /line 3 lacks a comma or }/],
    [
      'a field said twice',
      '{"version": 1,\n"version": 1}',
      'ERR_NETWORK_SYNTAX',
      /line 2 says "version" a second time/,
    ],
    ['lists without end', `{"version": ${'['.repeat(400_000)}`, 'ERR_NETWORK_SYNTAX', /deeper than 16/],
    [
      'lists without end, all closed',
      `{"version": ${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
      'ERR_NETWORK_SYNTAX',
      /deeper than 16/,
    ],
    ['a prototype', '{"version": 1, "__proto__": {"name": "x"}}', 'ERR_NETWORK_FIELD', /"__proto__": known are/],
    ['a protocol misspelt', changed(['protocol'], 'Rafft'), 'ERR_NETWORK_PROTOCOL', /did you mean raft/],
    ['a null for what has a default', changed(['parameters'], null), 'ERR_NETWORK_FIELD', /parameters is null/],
    ['a null role', changed(['members', 0, 'role'], null), 'ERR_NETWORK_FIELD', /role is null/],
    ['a name with a blank at its end', changed(['members', 0, 'name'], 'a '), 'ERR_NETWORK_FIELD', /blanks/],
    ['a name that paints a terminal', changed(['name'], '\u009b31m'), 'ERR_NETWORK_FIELD', /"\\u009b31m"/],
    ['a name too long', changed(['name'], 'a'.repeat(65)), 'ERR_NETWORK_FIELD', /1 to 64/],
    ['a member id of 0', changed(['members', 0, 'id'], 0), 'ERR_NETWORK_FIELD', /from 1 to 65535/],
    ['a member id above 16 bits', changed(['members', 0, 'id'], 65_536), 'ERR_NETWORK_FIELD', /from 1 to 65535/],
    ['a priority that is none', changed(['members', 0, 'priority'], 1.5), 'ERR_NETWORK_FIELD', /priority is 1.5/],
    ['members that are no list', changed(['members'], {}), 'ERR_NETWORK_FIELD', /must be a list/],
    ['a member that is none', changed(['members', 0], 'org'), 'ERR_NETWORK_FIELD', /members\[0\] is "org"/],
    ['more members than may be', file(129), 'ERR_NETWORK_FIELD', /129 members, at most 128/],
    [
      'more addresses than may be',
      changed(
        ['members', 0, 'addresses'],
        Array.from({ length: 9 }, () => '/dns/a'),
      ),
      'ERR_NETWORK_FIELD',
      /at most 8/,
    ],
    [
      'signatures that are none',
      changed(['envelopeSignatures'], 'maybe'),
      'ERR_NETWORK_SIGNATURES',
      /required or link/,
    ],
    ['far too much', ' '.repeat(networkFileBytesMax + 1), 'ERR_NETWORK_TOO_LARGE', /at most/],
  ])('is refused: %s', (_name, value, code, words) => {
    const parsed = parse(value)
    expect(parsed).toMatchObject({ ok: false, error: { code } })
    if (!parsed.ok) {
      expect(parsed.error.message).toMatch(words)
      expect(parsed.error.message).not.toContain('\n')
    }
  })

  it.each([
    [4, 'raft', /4 voters survive 1 crash, as 3 do/],
    [6, 'raft', /6 voters survive 2 crashes, as 5 do/],
    [5, 'pbft', /5 voters survive 1 arbitrary fault, as 4 do/],
    [6, 'hotstuff', /costs 2 replicas/],
  ])('of %i voters under %s is a warning that says what it costs', (voters, protocol, words) => {
    const parsed = parse(file(voters, { protocol }))
    expect(parsed.ok && parsed.warnings.join()).toMatch(words)
  })

  it('refuses a pbft window that its checkpoints or timeouts do not fit, and asks it of no other protocol', () => {
    const narrow = (protocol: string): object => ({ ...file(4), protocol, parameters: { pbft: { windowBlocks: 100 } } })
    expect(parse(JSON.stringify(narrow('pbft')))).toMatchObject({
      ok: false,
      error: { code: 'ERR_NETWORK_FIELD', message: expect.stringMatching(/windowBlocks is 100/) as string },
    })
    expect(parse(JSON.stringify(narrow('hotstuff')))).toMatchObject({ ok: true })
  })

  it('keeps the network id that it has, whatever a later release adds', () => {
    const parsed = parseNetworkFile(JSON.stringify(changed(['parameters'], { batch: { lingerMs: 2 } })), {
      hasher: nodeHasher,
      suite: ports.suite,
    })
    if (!parsed.ok) throw new Error(parsed.error.message)
    const members = [1, 2, 3].map(
      (id) =>
        `{"addresses":["/ip4/127.0.0.1/tcp/4001"],"consensusKey":"${keyOf(id)}","id":${id},"linkKey":"${keyOf(id + 100)}","name":"org-${id}","priority":0,"role":"voter"}`,
    )
    const canonical = `{"envelopeSignatures":"link","members":[${members.join(',')}],"name":"test","parameters":{"batch":{"lingerMs":2}},"protocol":"raft","suite":"${suite.name}","version":1}`
    expect(canonicalNetworkText(parsed.name, parsed.suite, parsed.epoch)).toBe(canonical)
    const hashed = createHash('sha256').update('quorate/1').update(Uint8Array.of(0x80)).update(canonical).digest('hex')
    expect(Buffer.from(parsed.epoch.network).toString('hex')).toBe(hashed)
  })

  it('is refused with a key that the real suite calls weak', () => {
    const identity = `01${'00'.repeat(31)}`
    const text = JSON.stringify(changed(['members', 0, 'consensusKey'], identity))
    expect(parseNetworkFile(text, { hasher: nodeHasher, suite: nodeEd25519 })).toMatchObject({
      ok: false,
      error: { code: 'ERR_NETWORK_KEY' },
    })
  })

  it.each(
    Object.entries(parameterBounds).flatMap(([group, bounds]) =>
      Object.entries(bounds as Record<string, { min?: number; max?: number }>).flatMap(([name, { min, max }]) =>
        min === undefined ? [] : [[group, name, min, max!] as const],
      ),
    ),
  )('holds parameters.%s.%s between its bounds', (group, name, min, max) => {
    const refused = (value: number): boolean => {
      const parsed = parse(changed(['parameters', group, name], value))
      return !parsed.ok && parsed.error.message.startsWith(`parameters.${group}.${name} is ${value},`)
    }
    expect(refused(min - 1)).toBe(true)
    expect(refused(max + 1)).toBe(true)
    expect(refused(min)).toBe(false)
    expect(refused(max)).toBe(false)
  })

  it('never throws, whatever the text or the JSON', () => {
    const refused = (text: string): void => expect(parseNetworkFile(text, ports).ok).toBe(false)
    fc.assert(fc.property(fc.string(), (text) => void refused(text)))
    fc.assert(fc.property(fc.json(), (text) => void refused(text)))
    const place = fc.constantFrom(
      ['name'],
      ['members'],
      ['members', 0],
      ['members', 1, 'id'],
      ['parameters', 'timers'],
      ['parameters', 'raft', 'preVote'],
    )
    fc.assert(fc.property(place, fc.jsonValue(), (path, value) => void parse(changed(path, value))))
  })
})
