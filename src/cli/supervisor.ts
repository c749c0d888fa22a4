// Replicas as child processes: started, listened to, and ended by pid. They end by themselves when this process is gone.

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ReplicaId } from '../kernel/ids.ts'

export interface SupervisedReplica {
  readonly id: ReplicaId
  readonly dir: string
  readonly pid: number
  /** Resolves with how it ended. */
  readonly ended: Promise<string>
}

export interface SupervisorOptions {
  networkPath: string
  app: string
  /** One line of its events, or of what it said on its way out. */
  said: (id: ReplicaId, event: Readonly<Record<string, unknown>> | string) => void
  /** Further arguments of `start`. */
  more?: readonly string[]
}

/** What a replica may take to end before it is ended. */
const patienceMs = 6_000
const mainPath = fileURLToPath(new URL('./main.js', import.meta.url))

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #running = new Map<ReplicaId, { child: ChildProcess; ended: Promise<string> }>()

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  get running(): number {
    return this.#running.size
  }

  start(id: ReplicaId, dir: string): SupervisedReplica {
    const { networkPath, app, more = [] } = this.#options
    const args = [mainPath, 'start', '--dir', dir, '--network', networkPath, '--json', ...more]
    if (app !== '') args.push('--app', app)
    return this.startProgram(id, dir, args)
  }

  /** Of a replica that is to run something else: a program's path and its arguments. */
  startProgram(id: ReplicaId, dir: string, args: readonly string[]): SupervisedReplica {
    const { said } = this.#options
    // A channel tells the child when its parent is gone. Its own group keeps the terminal's Ctrl-C from it: it is told by us, once.
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true })
    createInterface({ input: child.stdout! }).on('line', (line) => said(id, parsed(line)))
    createInterface({ input: child.stderr! }).on('line', (line) => said(id, line))
    const ended = new Promise<string>((resolve) => {
      child.on('error', (error) => {
        if (child.pid === undefined) this.#running.delete(id)
        resolve(error.message)
      })
      child.on('exit', (code, signal) => {
        this.#running.delete(id)
        resolve(signal === null ? `code ${code}` : signal)
      })
    })
    this.#running.set(id, { child, ended })
    return { id, dir, pid: child.pid ?? 0, ended }
  }

  /** Politely, and then not: when `hurry` resolves, or patience is over. */
  async stop(hurry?: Promise<void>): Promise<void> {
    const running = [...this.#running.values()]
    for (const { child } of running) child.kill('SIGTERM')
    const kill = (): void => {
      for (const { child } of running) child.kill('SIGKILL')
    }
    void hurry?.then(kill)
    const timer = setTimeout(kill, patienceMs)
    await Promise.all(running.map(({ ended }) => ended))
    clearTimeout(timer)
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> | string {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : line
  } catch {
    return line
  }
}
