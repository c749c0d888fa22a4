// One member of etcd as a child process, with default settings, which ends with this process however that ends.

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface MemberPorts {
  client: number
  peer: number
}

const patienceMs = 3_000
const linesKept = 5
/** Its limit of 2 GB would be reached within a run of large values, and it would refuse to go on. */
const quotaBytes = 8 * 2 ** 30

export class MemberProcess {
  readonly name: string
  readonly pid: number
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #said: string[] = []
  #hasEnded = false

  constructor(member: number, dir: string, all: readonly MemberPorts[]) {
    this.name = nameOf(member)
    // Nothing tells etcd that its parent is gone, so the kernel must.
    const args = ['--pdeathsig', 'KILL', 'etcd', ...argumentsOf(member, dir, all)]
    this.#child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
    this.pid = this.#child.pid ?? 0
    createInterface({ input: this.#child.stderr! }).on('line', (line) => {
      if (this.#said.push(line) > linesKept) this.#said.shift()
    })
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true
        resolve()
      }
      this.#child.on('error', end)
      this.#child.on('exit', end)
    })
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Its last lines, for whoever wonders why it ended. */
  get lastWords(): string {
    return this.#said.join(' | ')
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs)
    await this.#ended
    clearTimeout(timer)
  }
}

function nameOf(member: number): string {
  return `etcd-${member + 1}`
}

function argumentsOf(member: number, dir: string, all: readonly MemberPorts[]): string[] {
  const own = all[member]!
  const cluster = all.map(({ peer }, index) => `${nameOf(index)}=${url(peer)}`).join(',')
  return [
    ['--name', nameOf(member)],
    ['--data-dir', dir],
    ['--listen-client-urls', url(own.client)],
    ['--advertise-client-urls', url(own.client)],
    ['--listen-peer-urls', url(own.peer)],
    ['--initial-advertise-peer-urls', url(own.peer)],
    ['--initial-cluster', cluster],
    ['--initial-cluster-state', 'new'],
    ['--quota-backend-bytes', String(quotaBytes)],
  ].flat()
}

function url(port: number): string {
  return `http://127.0.0.1:${port}`
}
