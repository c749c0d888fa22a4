// A page in a real browser is a client of a network of real processes, under pbft, where it must sign: it writes, reads back what it wrote, and goes on when the
// replica that it talks to is killed or falls silent.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleClient, missingBrowser, openPage, type OpenedPage } from './browser.ts'
import { Cluster } from './cluster.ts'

const missing = missingBrowser()

/** Nobody's machine needs a browser, except the one whose word counts: there its absence is a failure. */
function whereThereIsOne(name: string, tests: () => void): void {
  if (missing === null || process.env['CI'] !== undefined) describe(name, tests)
  else process.stderr.write(`the tests of ${name} are left out: ${missing}\n`)
}

let cluster: Cluster
let bundle: string

beforeAll(async () => {
  cluster = await Cluster.create({ protocol: 'pbft', replicas: 4 })
  bundle = bundleClient(cluster.folder)
})

afterAll(() => cluster?.remove())

describe('the bundled client', () => {
  it('is one module without imports, and knows nothing of Node', () => {
    expect(readdirSync(join(cluster.folder, 'dist/browser'))).toEqual(['quorate-client.js'])
    // Lists of what was found: a failure does not print the whole bundle.
    expect(bundle.match(/\bas createClient\b/g)).toHaveLength(1)
    expect(bundle.match(/["'`]node:\w+/g)).toBeNull()
    expect(bundle.match(/\bimport\s*["'`{*(].{0,40}|\bfrom\s*["'`][\w@./].{0,40}/g)).toBeNull()
    // What the bundler puts in place of a module of Node's.
    expect(bundle.match(/externalized for browser.{0,40}/g)).toBeNull()
  })
})

whereThereIsOne('a client in a browser', () => {
  let opened: OpenedPage
  const ask = (question: string): Promise<unknown> => opened.page.evaluate(question)

  beforeAll(async () => {
    if (missing !== null) throw new Error(missing)
    cluster.startAll()
    const network = readFileSync(cluster.local.networkPath, 'utf8')
    opened = await openPage({ '/quorate-client.js': bundle, '/network.json': network })
    await ask(`page.connect(${JSON.stringify(Array.from(cluster.clientKey()))})`)
  })

  afterAll(async () => {
    for (const id of cluster.running) cluster.signal(id, 'SIGCONT')
    await opened?.close()
  })

  /** Writes, and reads back from whoever answers now. */
  async function serves(key: string, value: string): Promise<void> {
    expect(await ask(`page.put('${key}', '${value}')`)).toBe('put')
    expect(await ask(`page.get('${key}')`)).toBe(value)
  }

  it('writes and reads back over WebSockets, at addresses of this machine', async () => {
    expect(await ask('page.ready(4)')).toBe(true)
    await serves('colour', 'green')
    await serves('colour', 'blue')
  })

  it('goes on when any of the replicas is killed, the leader first, and finds each again that comes back', async () => {
    const leader = (await ask('page.leader()')) as number
    expect(cluster.ids).toContain(leader)
    for (const id of [leader, ...cluster.ids.filter((one) => one !== leader)]) {
      await cluster.kill(id)
      await serves('last-killed', `replica ${id}`)
      await expect.poll(() => ask('page.connected()'), { timeout: 20_000 }).not.toContain(id)
      cluster.start(id)
      expect(await ask('page.ready(4)')).toBe(true)
    }
  })

  it('goes on when the leader falls silent', async () => {
    const leader = (await ask('page.leader()')) as number
    cluster.signal(leader, 'SIGSTOP')
    await serves('silent', `replica ${leader}`)
    cluster.signal(leader, 'SIGCONT')
  })

  it('leaves no error to the page that nobody caught', async () => {
    await ask('page.close()')
    expect(opened.uncaught).toEqual([])
  })
})
