// Goal: nobody brings in a key that is not theirs, or changes what another said of itself. Method: real signatures, and each field
// changed after they were made.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeEd25519 } from '../../src/crypto/node/ed25519-suite.ts'
import { toHex } from '../../src/kernel/hex.ts'
import { memberFileBytesMax, memberFileText, parseMemberFile } from '../../src/kernel/member-file.ts'

const consensus = nodeEd25519.signer(new Uint8Array(32).fill(1))
const link = nodeEd25519.signer(new Uint8Array(32).fill(2))
const other = nodeEd25519.signer(new Uint8Array(32).fill(3))
const said = { name: 'org-1', role: 'voter', addresses: ['/ip4/127.0.0.1/tcp/4001'], priority: 2 } as const
const text = memberFileText({ ...said, addresses: [...said.addresses] }, { consensus, link })

type Json = Record<string, unknown> & { proof: Record<string, unknown> }

function read(change: (json: Json) => void) {
  const json = JSON.parse(text) as Json
  change(json)
  return parseMemberFile(JSON.stringify(json), nodeEd25519)
}

describe('a member file', () => {
  it('says of a member what was written, and leaves defaults out if it likes', () => {
    const expected = { ...said, consensusKey: consensus.publicKey, linkKey: link.publicKey }
    expect(parseMemberFile(text, nodeEd25519)).toEqual({ ok: true, member: expected })
    const plain = memberFileText({ ...said, addresses: [], priority: 0 }, { consensus, link })
    const { role: _role, addresses: _addresses, priority: _priority, ...rest } = JSON.parse(plain) as Json
    expect(parseMemberFile(JSON.stringify(rest), nodeEd25519)).toMatchObject({ ok: true, member: { role: 'voter' } })
  })

  it.each<[string, (json: Json) => void, RegExp]>([
    ['name', (json) => (json['name'] = 'org-2'), /proof\.consensus is not by the consensus key/],
    ['role', (json) => (json['role'] = 'learner'), /proof\.consensus/],
    ['addresses', (json) => (json['addresses'] = []), /proof\.consensus/],
    ['priority', (json) => (json['priority'] = 3), /proof\.consensus/],
    ['consensus key', (json) => (json['consensusKey'] = toHex(other.publicKey)), /proof\.consensus/],
    ['link key', (json) => (json['linkKey'] = toHex(other.publicKey)), /proof\.consensus/],
    [
      'proof by the other key',
      (json) => (json.proof['link'] = json.proof['consensus']),
      /proof\.link is not by the link/,
    ],
    ['proof that is missing', (json) => delete json.proof['link'], /proof\.link is missing/],
  ])('is refused after a change: %s', (_name, change, words) => {
    const file = read(change)
    expect(file).toMatchObject({ ok: false, error: { code: 'ERR_NETWORK_PROOF' } })
    if (!file.ok) expect(file.error.message).toMatch(words)
  })

  it('needs the proof of both keys: a thief of one cannot claim another’s beside it', () => {
    // The thief signs with its own consensus key what names the link key of somebody else.
    const forged = { publicKey: link.publicKey, sign: other.sign }
    const file = parseMemberFile(
      memberFileText({ ...said, addresses: [] }, { consensus: other, link: forged }),
      nodeEd25519,
    )
    expect(file).toMatchObject({ ok: false, error: { code: 'ERR_NETWORK_PROOF' } })
    if (!file.ok) expect(file.error.message).toMatch(/^proof\.link/)
  })

  it.each<[string, (json: Json) => void, string, RegExp]>([
    ['another version', (json) => (json['version'] = 2), 'ERR_NETWORK_VERSION', /version is 2/],
    ['a field misspelt', (json) => (json['adresses'] = []), 'ERR_NETWORK_FIELD', /did you mean addresses/],
    ['an id, which the network gives', (json) => (json['id'] = 1), 'ERR_NETWORK_FIELD', /has a field "id"/],
    ['no name', (json) => delete json['name'], 'ERR_NETWORK_FIELD', /^name is missing/],
    ['a weak key', (json) => (json['linkKey'] = `01${'00'.repeat(31)}`), 'ERR_NETWORK_KEY', /^linkKey is no valid/],
    ['no proof', (json) => delete (json as Record<string, unknown>)['proof'], 'ERR_NETWORK_FIELD', /proof is missing/],
  ])('is refused: %s', (_name, change, code, words) => {
    const file = read(change)
    expect(file).toMatchObject({ ok: false, error: { code } })
    if (!file.ok) expect(file.error.message).toMatch(words)
  })

  it('is refused as text: too long, a byte-order mark, no JSON', () => {
    const error = (bad: string) => {
      const file = parseMemberFile(bad, nodeEd25519)
      return file.ok ? null : `${file.error.code} ${file.error.message}`
    }
    expect(error(' '.repeat(memberFileBytesMax + 1))).toMatch(/^ERR_NETWORK_TOO_LARGE the member file has/)
    expect(error(`\ufeff${text}`)).toMatch(/^ERR_NETWORK_SYNTAX the member file begins with a byte-order mark/)
    expect(error('{')).toMatch(/^ERR_NETWORK_SYNTAX the member file is no sound JSON: line 1/)
  })

  it('never throws, whatever the JSON', () => {
    const refused = (bad: string): void => expect(parseMemberFile(bad, nodeEd25519).ok).toBe(false)
    fc.assert(fc.property(fc.string(), (bad) => void refused(bad)))
    const name = fc.constantFrom('name', 'consensusKey', 'addresses', 'proof', 'version')
    fc.assert(
      fc.property(
        name,
        fc.jsonValue(),
        (field, value) => void read((json: Record<string, unknown>) => (json[field] = value)),
      ),
    )
  })
})
