// Goal: a replica connects where Promise.withResolvers is missing. Method: a process of its own in which it was deleted, before anything
// of ours or of libp2p is loaded, dials another node of its own; without the shim it would die of an uncaught error.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-shim-'))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const out = ['--outDir', join(folder, 'dist')]
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', ...out], { cwd: root })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a script says that runs in an old host. */
function say(script: string): unknown {
  const path = join(folder, 'script.mjs')
  writeFileSync(path, `delete Promise.withResolvers\n${script}`)
  return JSON.parse(execFileSync(process.execPath, [path], { encoding: 'utf8', timeout: 60_000 }))
}

describe('Promise.withResolvers', () => {
  it('is there after the settings of libp2p were loaded, resolves, rejects, and leaves the real one alone', () => {
    const script = `
      const before = typeof Promise.withResolvers
      await import('./dist/network/libp2p/settings.js')
      const good = Promise.withResolvers()
      good.resolve(7)
      const bad = Promise.withResolvers()
      bad.reject(new Error('no'))
      const outcomes = await Promise.allSettled([good.promise, bad.promise])
      console.log(JSON.stringify([before, outcomes.map(({ status }) => status), outcomes[0].value]))`
    expect(say(script)).toEqual(['undefined', ['fulfilled', 'rejected'], 7])
    const kept = `
      const real = (Promise.withResolvers = () => 'the real one')
      await import('./dist/network/libp2p/settings.js')
      console.log(JSON.stringify(Promise.withResolvers === real))`
    expect(say(kept)).toBe(true)
  }, 60_000)

  it('is there before libp2p dials', () => {
    const script = `
      const { sharedSettings, connectionSettings } = await import('./dist/network/libp2p/settings.js')
      const { createLibp2p } = await import('libp2p')
      const { tcp } = await import('@libp2p/tcp')
      const node = (listen) => createLibp2p({ ...sharedSettings(), transports: [tcp()], addresses: { listen }, connectionGater: { denyDialMultiaddr: () => false }, connectionManager: connectionSettings })
      const [one, two] = await Promise.all([node(['/ip4/127.0.0.1/tcp/0']), node([])])
      const connection = await two.dial(one.getMultiaddrs()[0])
      const { status } = connection
      await Promise.all([one.stop(), two.stop()])
      console.log(JSON.stringify(status))`
    expect(say(script)).toBe('open')
  }, 60_000)
})
