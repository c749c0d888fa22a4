// The commands that are clients, as processes, against a real network of three replicas on this machine.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandTable } from '../../src/cli/command-table.ts'
import { createOutput } from '../../src/cli/output.ts'
import { createLocalNetwork, replicaFolder } from '../../src/cli/setup/local-network.ts'
import { buildCli, type BuiltCli, type Ended, type Running } from './built-cli.ts'

let cli: BuiltCli
let folder: string
let net: string
let down: string
let running: Running[] = []

beforeAll(async () => {
  cli = buildCli()
  folder = mkdtempSync(join(tmpdir(), 'quorate-commands-'))
  net = join(folder, 'net')
  down = join(folder, 'down')
  const local = { name: 'local', protocol: 'raft', replicas: 3, host: '127.0.0.1' } as const
  await createLocalNetwork({ ...local, dir: net })
  await createLocalNetwork({ ...local, dir: down })
  running = [1, 2, 3].map((replica) => cli.start('start', '--dir', replicaFolder(net, replica)))
  for (let answers = false; !answers;) answers = (await on('put', 'first', '1')).code === 0
}, 60_000)

afterAll(async () => {
  for (const one of running) one.process.kill('SIGTERM')
  await Promise.all(running.map((one) => one.ended))
  cli.remove()
  rmSync(folder, { recursive: true, force: true })
})

function on(...args: readonly string[]): Promise<Ended> {
  const [name, ...rest] = args
  return cli.run(name!, '--dir', net, ...rest)
}

test('what is put is got, listed and deleted; the value stands alone on stdout', async () => {
  expect((await on('put', 'user/1', 'zoë')).out).toMatch(/^revision \d+ at height \d+\n$/)
  expect(await on('get', 'user/1')).toEqual({ code: 0, out: 'zoë\n', error: '' })
  const put = await on('put', 'ff00', 'fe', '--hex', '--json')
  expect(JSON.parse(put.out)).toMatchObject({
    revision: expect.any(Number) as number,
    height: expect.any(Number) as number,
  })
  expect((await on('get', 'ff00', '--hex')).out).toBe('fe\n')
  expect((await on('scan', 'user/')).out).toBe('user/1\tzoë\n0xff00\t0xfe\n')
  expect((await on('scan', 'user/', '--to', 'user0', '--keys')).out).toBe('user/1\n')
  const limited = await on('scan', 'user/', '--limit', '1', '--json')
  expect(JSON.parse(limited.out)).toMatchObject({
    entries: [{ key: { text: 'user/1' }, value: { text: 'zoë' } }],
    next: { hex: 'ff00' },
  })
  expect((await on('delete', 'user/1')).out).toMatch(/^revision \d+ at height \d+\n$/)
  expect((await on('delete', 'user/1')).out).toMatch(/^there was no such key: revision/)
})

test('a key that is not there is a sentence and exit code 1', async () => {
  const missing = await on('get', 'nothing', '--local')
  expect(missing).toMatchObject({ code: 1, out: '' })
  expect(missing.error).toContain('there is no key nothing')
  const json = await on('get', 'nothing', '--json')
  expect(JSON.parse(json.out)).toMatchObject({ ok: false, code: 'ERR_NO_SUCH_KEY' })
})

test('what somebody has stored does not act on the terminal of whoever lists it', async () => {
  await on('put', 'evil', '\u001b[2J\nforged')
  expect((await on('scan', 'evil', '--limit', '1')).out).toBe('evil\t\\x1b[2J\\x0aforged\n')
})

test('submit speaks with the codecs of a module', async () => {
  // The replicas run the store: its codecs wrapped into JSON are an application of our own to the command line.
  const app = join(folder, 'app.mjs')
  const store = join(cli.folder, 'dist/execution/store/key-value-store.js')
  writeFileSync(
    app,
    `import { keyValueStore } from ${JSON.stringify(store)}
     const bytes = (value) => ({ ...value, key: new TextEncoder().encode(value.key) })
     const wrapped = (codec) => ({ encode: (value) => codec.encode(bytes(value)), decode: codec.decode })
     export const stateMachine = { ...keyValueStore, command: wrapped(keyValueStore.command), query: wrapped(keyValueStore.query) }`,
  )
  const submitted = await on('submit', '{"kind":"increment","key":"count","by":2}', '--app', app)
  expect(submitted.error).toBe('')
  expect(JSON.parse(submitted.out)).toMatchObject({
    result: { kind: 'number', value: 2 },
    height: expect.any(Number) as number,
    index: expect.any(Number) as number,
  })
  const asked = await on('submit', '{"kind":"get","key":"count"}', '--query', '--app', app)
  expect(JSON.parse(asked.out)).toMatchObject({ result: { entry: { value: { hex: '32' } } } })
  expect(await on('submit', '{"kind":"nonsense","key":"x"}', '--app', app)).toMatchObject({ code: 2 })
})

test('status shows every replica; --watch goes on until Ctrl-C', async () => {
  const status = await on('status')
  expect(status).toMatchObject({ code: 0, error: '' })
  const lines = status.out.trim().split('\n')
  expect(lines).toHaveLength(4)
  expect(lines[0]).toMatch(/^replica +role +term +leader +height +executed +behind +round trip +last contact +phase$/)
  expect(lines.filter((line) => / leader /.test(line.slice(14)))).not.toHaveLength(0)
  const json = JSON.parse((await on('status', '--json')).out) as { replicas: { role: string }[] }
  expect(json).toMatchObject({ answering: 3, quorum: 2 })
  expect(json.replicas.map(({ role }) => role).sort()).toEqual(['follower', 'follower', 'leader'])

  const watch = cli.start('status', '--dir', net, '--watch')
  let tables = 0
  watch.process.stdout!.on('data', (text: Buffer) => {
    tables += text.toString().split('replica  ').length - 1
    if (tables >= 2) watch.process.kill('SIGINT')
  })
  expect((await watch.ended).code).toBe(130)
})

test('a network that is down: one sentence, and the next step', async () => {
  const commands = [['put', 'a', 'b'], ['get', 'a', '--local'], ['delete', 'a'], ['scan']]
  const ends = await Promise.all(
    commands.map(([name, ...rest]) => cli.run(name!, '--dir', down, '--timeout', '1', ...rest)),
  )
  for (const end of ends) {
    expect(end).toMatchObject({ code: 1, out: '' })
    expect(end.error).toMatch(/^no replica of local answered within 1 s: check .* \(ERR_NO_REPLICA\)\n$/)
  }
  const status = await cli.run('status', '--dir', down, '--timeout', '1')
  expect(status.code).toBe(1)
  expect(status.out.match(/ away /g)).toHaveLength(3)
  expect(status.error).toContain('0 of 3 replicas answer, and a quorum is 2')
})

test('Ctrl-C ends the wait for a network that is down', async () => {
  // Somebody who listens and says nothing: whoever knocks there has begun to wait, and knows what Ctrl-C means.
  const port = Number(/tcp\/(\d+)"/.exec(readFileSync(join(down, 'network.json'), 'utf8'))![1])
  const silent = createServer().listen(port, '127.0.0.1')
  const waiting = cli.start('get', 'a', '--dir', down, '--timeout', '60', '--debug')
  silent.once('connection', () => waiting.process.kill('SIGINT'))
  silent.on('connection', (socket) => socket.on('error', () => {}))
  const { code } = await waiting.ended
  silent.close()
  expect(code).toBe(130)
})

test('wrong use says what is right, before anything is opened', async () => {
  const wrong: [string, string[], RegExp][] = [
    ['put', ['a'], /VALUE is missing/],
    ['put', ['a', 'b', 'c'], /c is one argument too many/],
    ['put', ['', 'b'], /KEY has 0 bytes/],
    ['get', ['xyz', '--hex'], /KEY is no hexadecimal/],
    ['scan', ['--limit', '0'], /--limit is 0/],
    ['submit', ['1'], /use put, get, delete and scan/],
    ['submit', ['{', '--app', 'x.js'], /VALUE is no JSON/],
    ['get', ['a', '--key', 'client.key'], /--network is missing/],
    ['get', ['a', '--key', 'client.key', '--dir', 'net'], /give --dir, or both/],
    ['status', ['--timeout', '0'], /--timeout is 0/],
    ['status', ['--dir', join(folder, 'nothing')], /name the network's folder/],
  ]
  for (const [name, args, sentence] of wrong) {
    const command = await commandTable.find((one) => one.name === name)!.load()
    if (!('spec' in command)) throw new Error(`${name} is a group`)
    await expect(command.run(args, createOutput())).rejects.toThrow(sentence)
  }
})

test('an operation that finds no quorum says in words whether it may have been executed', async () => {
  for (const one of running.splice(0, 2)) {
    one.process.kill('SIGTERM')
    await one.ended
  }
  const end = await on('put', 'late', 'x', '--timeout', '2')
  expect(end).toMatchObject({ code: 1, out: '' })
  expect(end.error).toMatch(/\(ERR_\w+\): (certainly not|may have been) executed\n$/)
  expect((await on('status')).code).toBe(1)
})
