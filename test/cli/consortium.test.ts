// Goal: three organisations come to one network file that all have approved, and nobody loses a key or a file on the way. Method: the
// built command as a process, a folder for each organisation; what goes wrong leaves everything as it was.

import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorCodes } from '../../src/kernel/error-codes.ts'
import { buildCli, type BuiltCli, type Ended } from './built-cli.ts'

let cli: BuiltCli
let folder: string
beforeAll(() => {
  cli = buildCli()
  folder = join(cli.folder, 'work')
  mkdirSync(folder)
}, 120_000)
afterAll(() => cli.remove())

const at = (...names: string[]): string => join(folder, ...names)
const read = (...names: string[]): string => readFileSync(at(...names), 'utf8')
const organisations = ['a', 'b', 'c']

async function good(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, error } = await cli.run(...args, '--json')
  expect({ code, error }).toEqual({ code: 0, error: '' })
  return JSON.parse(out) as Record<string, unknown>
}

/** One sentence and a code, for a person; the same as JSON, for a program. */
async function bad(code: string, words: RegExp, ...args: readonly string[]): Promise<void> {
  const [shown, { out }] = await Promise.all([cli.run(...args), cli.run(...args, '--json')])
  expect(shown.code).toBe(1)
  expect(shown.error).toMatch(words)
  expect(shown.error.trimEnd()).not.toContain('\n')
  expect(shown.error).toContain(`(${code})\n`)
  expect(JSON.parse(out)).toMatchObject({ ok: false, code })
}

async function wrongUse(words: RegExp, ...args: readonly string[]): Promise<void> {
  const { code, out, error }: Ended = await cli.run(...args)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(error).toMatch(words)
  expect(error.trimEnd()).not.toContain('\n')
}

const keygen = (name: string): string[] => {
  const address = `/dns/${name}.example/tcp/4001`
  return ['keygen', '--name', `org-${name}`, '--dir', at(name), '--address', address, '--address', `${address}/ws`]
}

const memberFiles = (): string[] => organisations.map((name) => at(name, 'member.json'))
const assemble = (out: string, ...members: readonly string[]): string[] => [
  ...['network', 'assemble', ...members, '--name', 'harbour', '--protocol', 'raft', '--out', at(out)],
]

/** Makes the keys and the file that nobody has approved; what a test needs of it is made once. */
let prepared: Promise<string> | null = null
function network(): Promise<string> {
  prepared ??= (async () => {
    await Promise.all(organisations.map((name) => good(...keygen(name))))
    await good(...assemble('network.json', ...memberFiles()))
    return at('network.json')
  })()
  return prepared
}

describe('quorate keygen', () => {
  it('makes two secret keys and a file for others, and overwrites none of them', async () => {
    await network()
    expect(readdirSync(at('a')).sort()).toEqual(['consensus.key', 'link.key', 'member.json'])
    for (const name of ['consensus.key', 'link.key']) expect(statSync(at('a', name)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(read('a', 'member.json'))).toMatchObject({
      name: 'org-a',
      addresses: ['/dns/a.example/tcp/4001', '/dns/a.example/tcp/4001/ws'],
    })
    const secret = JSON.parse(read('a', 'consensus.key')) as { secretKey: string }
    expect(read('a', 'member.json')).not.toContain(secret.secretKey)
    const before = organisations.map((name) => read('a', 'consensus.key') + read(name, 'member.json'))
    await bad('ERR_FILE_EXISTS', /consensus\.key exists and is not overwritten/, ...keygen('a'))
    expect(organisations.map((name) => read('a', 'consensus.key') + read(name, 'member.json'))).toEqual(before)
  })

  it('makes nothing where one of the files is', async () => {
    mkdirSync(at('partly'))
    writeFileSync(at('partly', 'member.json'), 'mine')
    await bad('ERR_FILE_EXISTS', /member\.json exists/, 'keygen', '--name', 'x', '--dir', at('partly'))
    expect(readdirSync(at('partly'))).toEqual(['member.json'])
    expect(read('partly', 'member.json')).toBe('mine')
  })

  it('makes the key of a client, and says its public half', async () => {
    const { code, out } = await cli.run('keygen', '--client', '--dir', at('client'))
    expect(code).toBe(0)
    const { publicKey, purpose } = JSON.parse(read('client', 'client.key')) as { publicKey: string; purpose: string }
    expect({ out, purpose }).toEqual({ out: `${publicKey}\n`, purpose: 'client' })
    await bad('ERR_KEY_FILE_EXISTS', /client\.key exists/, 'keygen', '--client', '--dir', at('client'))
  })

  it.each<[RegExp, string[]]>([
    [/--dir is missing/, ['--name', 'x']],
    [/--name is missing/, ['--dir', 'none']],
    [/name is " x"/, ['--dir', 'none', '--name', ' x']],
    [/multiaddresses such as/, ['--dir', 'none', '--name', 'x', '--address', 'localhost:80']],
    [/--role is boss/, ['--dir', 'none', '--name', 'x', '--role', 'boss']],
    [/--address is of a member/, ['--dir', 'none', '--client', '--address', '/dns/a']],
    [/more is not an option/, ['--dir', 'none', '--name', 'x', 'more']],
  ])('makes nothing on wrong use: %s', async (words, args) => {
    await wrongUse(words, 'keygen', ...args)
    expect(readdirSync(cli.folder)).not.toContain('none')
  })
})

describe('quorate network assemble', () => {
  it('gives ids in the order of the files, and says what is next', async () => {
    await network()
    const members = memberFiles().reverse()
    expect(await good(...assemble('reversed.json', ...members))).toMatchObject({
      members: [
        { id: 1, name: 'org-c' },
        { id: 2, name: 'org-b' },
        { id: 3, name: 'org-a' },
      ],
    })
    const { out } = await cli.run(...assemble('again.json', ...members))
    expect(out).toContain(`quorate network approve ${at('again.json')} --dir DIR\n`)
    expect(read('again.json')).toBe(read('reversed.json'))
  })

  it('refuses what a member did not say, and writes nothing', async () => {
    await network()
    writeFileSync(at('forged.json'), read('b', 'member.json').replace('b.example', 'e.example'))
    const members = [at('a', 'member.json'), at('forged.json'), at('c', 'member.json')]
    await bad('ERR_NETWORK_PROOF', /forged\.json: proof\.consensus is not by/, ...assemble('none.json', ...members))
    await bad('ERR_NETWORK_TOO_FEW', /2 voters/, ...assemble('none.json', ...memberFiles().slice(1)))
    expect(readdirSync(folder)).not.toContain('none.json')
  })

  it('does not overwrite a file that others may have approved', async () => {
    const before = readFileSync(await network(), 'utf8')
    await bad('ERR_FILE_EXISTS', /network\.json exists and is not/, ...assemble('network.json', ...memberFiles()))
    expect(read('network.json')).toBe(before)
  })

  it('needs to be told what to make', async () => {
    await wrongUse(/--protocol is missing/, 'network', 'assemble', 'a.json', '--name', 'x', '--out', 'y')
    await wrongUse(/there are no members/, ...assemble('none.json'))
  })
})

describe('quorate network approve and merge', () => {
  it('come to a file that all have approved: one after the other', async () => {
    writeFileSync(at('turns.json'), readFileSync(await network()))
    const first = await cli.run('network', 'approve', at('turns.json'), '--dir', at('b'))
    expect(first.code).toBe(0)
    for (const words of [
      /^name +harbour$/m,
      /^protocol +raft$/m,
      /^network id +[0-9a-f]{64}$/m,
      /^ 2 +org-b +voter +/m,
    ]) {
      expect(first.out).toMatch(words)
    }
    expect(first.out).toContain(': 1 of 3, missing: org-a, org-c.\n')
    const checked = await cli.run('network', 'check', at('turns.json'))
    expect(checked.error).toBe('warning: not approved yet by org-a, org-c: each of them says quorate network approve\n')
    // Once more is as good as once.
    const approve = (name: string) => good('network', 'approve', at('turns.json'), '--dir', at(name))
    expect(await approve('b')).toMatchObject({ approved: 'org-b', approvals: '1 of 3' })
    expect(await approve('a')).toMatchObject({ approvals: '2 of 3', missingApprovals: ['org-c'] })
    expect(await approve('c')).toMatchObject({ approvals: '3 of 3', missingApprovals: [] })
    const whole = await cli.run('network', 'check', at('turns.json'))
    expect(whole).toMatchObject({ code: 0, error: '' })
    expect(whole.out).toMatch(/\napprovals +3 of 3\n$/)
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('come to the same from copies approved apart', async () => {
    const path = await network()
    const copies = organisations.map((name) => at(`network-${name}.json`))
    await Promise.all(
      organisations.map((name, index) => good('network', 'approve', path, '--dir', at(name), '--out', copies[index]!)),
    )
    const merged = await good('network', 'merge', ...copies, '--out', at('merged.json'))
    expect(merged).toMatchObject({ approvals: '3 of 3', missingApprovals: [] })
    expect(await good('network', 'check', at('merged.json'))).toMatchObject({
      'network id': merged['network id'],
      approvals: '3 of 3',
      missingApprovals: [],
      warnings: [],
    })
    // Into one of the inputs, through a link: the file changes, and the link stays.
    symlinkSync(copies[0]!, at('link.json'))
    await good('network', 'merge', at('link.json'), copies[1]!, '--out', at('link.json'))
    expect(JSON.parse(read('network-a.json'))).toMatchObject({ approvals: [{ member: 1 }, { member: 2 }] })
  })

  it('refuse a key of nobody, a key for something else, another network, and other files to write', async () => {
    const path = await network()
    const before = readFileSync(path, 'utf8')
    await good('keygen', '--name', 'stranger', '--dir', at('stranger'))
    const approve = (name: string, ...more: string[]) => ['network', 'approve', path, '--dir', at(name), ...more]
    await failed('ERR_NOT_A_MEMBER', ...approve('stranger'))
    await failed('ERR_KEY_FILE_NOT_FOUND', ...approve('nobody'))
    mkdirSync(at('swapped'))
    writeFileSync(at('swapped', 'consensus.key'), read('a', 'link.key'), { mode: 0o600 })
    await failed('ERR_KEY_FILE_PURPOSE', ...approve('swapped'))
    await failed('ERR_FILE_EXISTS', ...approve('a', '--out', at('a', 'member.json')))
    expect(readFileSync(path, 'utf8')).toBe(before)
    await good(...assemble('other.json', ...memberFiles().reverse()))
    await failed('ERR_OTHER_NETWORK', 'network', 'merge', path, at('other.json'), '--out', at('none.json'))
    await failed('ERR_FILE_EXISTS', 'network', 'merge', path, '--out', at('other.json'))
    expect(readdirSync(folder)).not.toContain('none.json')
  })

  it('refuse a file that says something else of a member than it said itself', async () => {
    const file = JSON.parse(readFileSync(await network(), 'utf8')) as { members: Record<string, unknown>[] }
    const { publicKey } = await good('keygen', '--client', '--dir', at('thief'))
    for (const [field, value] of [
      ['linkKey', publicKey],
      ['addresses', ['/dns/e.example/tcp/4001']],
      ['name', 'org-e'],
    ] as const) {
      const members = file.members.map((member) => (member['id'] === 1 ? { ...member, [field]: value } : member))
      writeFileSync(at('altered.json'), JSON.stringify({ ...file, members }))
      const approve = (name: string) => ['network', 'approve', at('altered.json'), '--dir', at(name)]
      const { code, error } = await cli.run(...approve('a'))
      expect(code).toBe(1)
      expect(error).toContain(`(${field}): ask whoever assembled it (ERR_NOT_AS_SAID)`)
    }
    // The others cannot know.
    await good('network', 'approve', at('altered.json'), '--dir', at('b'))
  })

  it('warn who has nothing to compare with', async () => {
    mkdirSync(at('bare'))
    writeFileSync(at('bare', 'consensus.key'), read('a', 'consensus.key'), { mode: 0o600 })
    const { code, error } = await cli.run(
      'network',
      'approve',
      await network(),
      '--dir',
      at('bare'),
      '--out',
      at('bare.json'),
    )
    expect(code).toBe(0)
    expect(error).toMatch(/^warning: there is no .*member\.json to compare with what the file says of org-a\n$/)
  })

  it('refuse a file that was changed after somebody approved it', async () => {
    await good('network', 'approve', await network(), '--dir', at('a'), '--out', at('changed.json'))
    writeFileSync(at('changed.json'), read('changed.json').replace('c.example', 'e.example'))
    await failed('ERR_NETWORK_APPROVAL', 'network', 'check', at('changed.json'))
    await failed('ERR_NETWORK_APPROVAL', 'network', 'approve', at('changed.json'), '--dir', at('b'))
  })

  async function failed(code: string, ...args: readonly string[]): Promise<void> {
    const ended = await cli.run(...args, '--json')
    expect(ended.code).toBe(1)
    expect(JSON.parse(ended.out)).toMatchObject({ ok: false, code })
  }
})

describe('docs/operations/making-a-network.md', () => {
  const page = readFileSync(new URL('../../docs/operations/making-a-network.md', import.meta.url), 'utf8')

  it('shows commands that do, in their order, what it says', async () => {
    const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) => match[1]!.trim().split('\n'))
    expect(lines.length).toBeGreaterThan(9)
    mkdirSync(at('page'))
    for (const line of lines) {
      const [name, ...words] = line.split(' ')
      expect(name).toBe('quorate')
      // A file or a folder is one of the page's own.
      const args = words.map((word) => (/^(net|keys-|network[-.]|approved)/.test(word) ? at('page', word) : word))
      if (words[0] === 'network') args[0] = 'network'
      expect(await cli.run(...args), line).toMatchObject({ code: 0, error: '' })
    }
    expect(await good('network', 'check', at('page', 'approved.json'))).toMatchObject({ approvals: '3 of 3' })
  })

  it('names codes that docs/errors.md explains', () => {
    const listed = [...page.matchAll(/`(ERR_\w+)`/g)].map((match) => match[1]!)
    expect(listed.length).toBeGreaterThan(7)
    expect(listed.filter((code) => code !== 'ERR_KEY_FILE' && !(code in errorCodes))).toEqual([])
  })
})

describe('quorate init', () => {
  it('makes a network that all have approved, for a person and for a program', async () => {
    const { code, out, error } = await cli.run('init', '--dir', at('net'), '--port', '4001')
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(out).toMatch(/^Network local \(raft\) is in .*net\.\n/)
    expect(out).toContain('replica-3')
    expect(out).toContain('/ip4/127.0.0.1/tcp/4005  /ip4/127.0.0.1/tcp/4006/ws\n')
    const checked = await good('network', 'check', at('net', 'network.json'))
    expect(checked).toMatchObject({ protocol: 'raft', voters: 3, approvals: '3 of 3' })
    const args = ['init', '--dir', at('pbft'), '--protocol', 'pbft', '--name', 'mine']
    expect(await good(...args)).toMatchObject({ replicas: [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }], warnings: [] })
    await bad('ERR_FOLDER_NOT_EMPTY', /net is not empty: name a new folder/, 'init', '--dir', at('net'))
  })

  it('leaves nothing behind when it is interrupted', async () => {
    mkdirSync(at('interrupted'))
    const running = cli.start('init', '--dir', at('interrupted', 'net'), '--replicas', '128')
    while (readdirSync(at('interrupted')).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    running.process.kill('SIGINT')
    const { code, error } = await running.ended
    expect(code).toBe(130)
    expect(error).toMatch(/^interrupted: .* is as it was\n$/)
    expect(readdirSync(at('interrupted'))).toEqual([])
  })

  it.each<[RegExp, string[]]>([
    [/--dir is missing/, []],
    [/--replicas is 0/, ['--replicas', '0']],
    [/--host is 0\.0\.0\.0, and must be one IP address/, ['--host', '0.0.0.0']],
    [/--host is localhost/, ['--host', 'localhost']],
    [/--port is 65531, and must be a whole number from 1 to 65530/, ['--port', '65531']],
    [/did you mean hotstuff/, ['--protocol', 'hotstuf']],
  ])('makes nothing on wrong use: %s', async (words, args) => {
    await wrongUse(words, 'init', ...(args.length === 0 ? [] : ['--dir', at('unused')]), ...args)
    expect(readdirSync(folder)).not.toContain('unused')
  })
})
