// An organisation as its neighbour on the same machine sees it: a process that is asked, killed, and started again.

import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Answer } from './organisation.ts'

/** `gone`: the process ended first. What it was asked may have happened. */
export type Asked = Answer | { kind: 'gone' }

const program = fileURLToPath(new URL('./organisation.js', import.meta.url))

export class OrganisationProcess {
  readonly id: number
  readonly name: string
  readonly #folder: string
  readonly #waiting = new Map<number, (answer: Asked) => void>()
  #child: ChildProcess | null = null
  #ended: Promise<void> = Promise.resolve()
  #commands = 0

  constructor(id: number, name: string, folder: string) {
    this.id = id
    this.name = name
    this.#folder = folder
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    // A group of its own keeps the terminal's Ctrl-C from it: it ends when its input does, and that also when this process is killed.
    const child = spawn(process.execPath, [program, this.#folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    })
    this.#child = child
    this.#commands = 0
    // Writing to a process that is gone is answered below.
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { command, ...answer } = JSON.parse(line) as Answer & { command: number }
      this.#waiting.get(command)?.(answer)
      this.#waiting.delete(command)
    })
    this.#ended = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', () => {
        this.#child = null
        for (const answer of this.#waiting.values()) answer({ kind: 'gone' })
        this.#waiting.clear()
        resolve()
      })
    })
  }

  ask(line: string): Promise<Asked> {
    const child = this.#child
    if (child === null) return Promise.resolve({ kind: 'gone' })
    return new Promise((resolve) => {
      this.#waiting.set(++this.#commands, resolve)
      child.stdin!.write(`${line}\n`)
    })
  }

  /** As the power goes out. */
  kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    return this.#ended
  }

  /** Politely: it finishes what it was asked. */
  end(): Promise<void> {
    this.#child?.stdin!.end()
    return this.#ended
  }
}
