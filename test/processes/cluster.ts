// A real network on this machine: each replica a process of its own, the command line's `start`; or replica-program.ts, where the wires
// between them can be cut and one of them may lie.

import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalNetwork, replicaFolder, type LocalNetwork } from '../../src/cli/setup/local-network.ts'
import { readKeyFile } from '../../src/crypto/node/key-file.ts'
import type { ProtocolName } from '../../src/kernel/ids.ts'
import { buildInto } from '../cli/shared-build.ts'
import { readyLine } from './ready-line.ts'
import { Wires } from './wires.ts'

const root = fileURLToPath(new URL(import.meta.url.includes('/.tools/') ? '../../../' : '../../', import.meta.url))

export interface ClusterOptions {
  protocol: ProtocolName
  replicas: number
  learners?: number
  parameters?: object
  /** With wires that can be cut, and replicas that lie if they are started so. */
  wired?: boolean
}

export class Cluster {
  readonly local: LocalNetwork
  readonly folder: string
  /** Null where they cannot be cut. */
  readonly wires: Wires | null
  readonly #children = new Map<number, ChildProcess>()
  readonly #ready = new Set<ChildProcess>()
  /** What the replicas said, for a person who looks into a failure. */
  readonly said: string[] = []

  private constructor(local: LocalNetwork, folder: string, wires: Wires | null) {
    this.local = local
    this.folder = folder
    this.wires = wires
  }

  static async create({ wired = false, ...options }: ClusterOptions): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-cluster-'))
    try {
      fill(folder, wired)
      const dir = join(folder, 'network')
      const local = await createLocalNetwork({ ...options, dir, name: 'test', host: '127.0.0.1' })
      return new Cluster(local, folder, wired ? await Wires.lay(local.network) : null)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
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

  /** If a behaviour is named (src/simulator/adversaries), it lies from SIGUSR2 to the end of its process. */
  start(id: number, behaviour: string | null = null): void {
    const child = spawn(process.execPath, this.#argumentsOf(id, behaviour), { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.set(id, child)
    const hear = (text: string): void => {
      if (text.includes(readyLine)) this.#ready.add(child)
      this.said.push(`${(performance.now() / 1000).toFixed(2)} ${id}: ${text.trimEnd()}`)
      if (this.said.length > 2_000) this.said.splice(0, 1_000)
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.on('exit', (code, signal) => {
      hear(`ended: ${signal ?? code}`)
      if (this.#children.get(id) === child) this.#children.delete(id)
    })
  }

  #argumentsOf(id: number, behaviour: string | null): string[] {
    const folder = replicaFolder(this.local.dir, id)
    if (this.wires === null) {
      if (behaviour !== null) throw new Error('only replicas of a network with wires of its own can lie')
      return [join(this.folder, 'dist/cli/main.js'), 'start', '--dir', folder, '--json']
    }
    const program = join(this.folder, 'dist/test/processes/replica-program.js')
    const places = ['--network', this.local.networkPath, '--addresses', JSON.stringify(this.wires.addressesFor(id))]
    return [program, '--folder', folder, ...places, ...(behaviour === null ? [] : ['--behaviour', behaviour])]
  }

  /** Of replica-program.ts: signals reach it. */
  isReady(id: number): boolean {
    const child = this.#children.get(id)
    return child !== undefined && this.#ready.has(child)
  }

  startAll(): void {
    for (const id of this.ids) this.start(id)
  }

  signal(id: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGUSR1' | 'SIGUSR2'): void {
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
    await this.wires?.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function fill(folder: string, wired: boolean): void {
  buildInto(join(folder, 'dist'), wired ? 'test-replicas' : 'command-line')
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
}
