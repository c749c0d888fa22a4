// A real network on this machine: each replica the command line's `start`, as a process of its own.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalNetwork, replicaFolder, type LocalNetwork } from '../../src/cli/setup/local-network.ts'
import { readKeyFile } from '../../src/crypto/node/key-file.ts'
import type { ProtocolName } from '../../src/kernel/ids.ts'

const root = fileURLToPath(new URL(import.meta.url.includes('/.tools/') ? '../../../' : '../../', import.meta.url))

export interface ClusterOptions {
  protocol: ProtocolName
  replicas: number
  learners?: number
  parameters?: object
}

export class Cluster {
  readonly local: LocalNetwork
  readonly folder: string
  readonly #children = new Map<number, ChildProcess>()
  /** What the replicas said, for a person who looks into a failure. */
  readonly said: string[] = []

  private constructor(local: LocalNetwork, folder: string) {
    this.local = local
    this.folder = folder
  }

  static async create(options: ClusterOptions): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-cluster-'))
    buildInto(folder)
    const dir = join(folder, 'network')
    const local = await createLocalNetwork({ ...options, dir, name: 'test', host: '127.0.0.1' })
    return new Cluster(local, folder)
  }

  get ids(): number[] {
    return this.local.network.epoch.members.map((member) => member.id)
  }

  get running(): number[] {
    return [...this.#children.keys()]
  }

  clientKey(): Uint8Array {
    const key = readKeyFile(this.local.clientKeyPath, 'client')
    if (!key.ok) throw new Error(key.message)
    return key.pair.secretKey
  }

  start(id: number): void {
    const args = [join(this.folder, 'dist/cli/main.js'), 'start', '--dir', replicaFolder(this.local.dir, id), '--json']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.set(id, child)
    const hear = (text: string): void => {
      this.said.push(`${id}: ${text.trimEnd()}`)
      if (this.said.length > 2_000) this.said.splice(0, 1_000)
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.on('exit', (code, signal) => {
      hear(`ended: ${signal ?? code}`)
      if (this.#children.get(id) === child) this.#children.delete(id)
    })
  }

  startAll(): void {
    for (const id of this.ids) this.start(id)
  }

  signal(id: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#children.get(id)?.kill(signal)
  }

  /** Resolves when its process is gone. */
  async kill(id: number): Promise<void> {
    const child = this.#children.get(id)
    if (child === undefined) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  async remove(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.kill(id)))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function buildInto(folder: string): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = [compiler, '-p', 'tsconfig.build.json', '--declaration', 'false', '--outDir', join(folder, 'dist')]
  execFileSync(process.execPath, args, { cwd: root })
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
}
