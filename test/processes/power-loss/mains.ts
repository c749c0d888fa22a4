// The mains that the replicas hang on: starts their processes, keeps one loaded and waiting for each, and cuts their power.

import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { replicaFolder, type LocalNetwork } from '../../../src/cli/setup/local-network.ts'
import { readCounts } from './counts-file.ts'
import type { Told } from './replica-messages.ts'
import type { VolatileCounts } from './volatile-directory.ts'

const answerMsMax = 15_000

interface Life {
  child: ChildProcess
  counts: string
  told: Set<Told['kind']>
  watchers: Set<() => void>
  gone: boolean
}

export class Mains {
  readonly #program: string
  readonly #local: LocalNetwork
  readonly #replicas: number
  readonly #spares = new Map<number, Life>()
  readonly #lives = new Map<number, Life>()
  readonly #incarnations = new Map<number, number>()
  #livesTotal = 0
  /** What no replica may say. */
  readonly problems: string[] = []

  constructor(program: string, local: LocalNetwork, replicas: number) {
    this.#program = program
    this.#local = local
    this.#replicas = replicas
  }

  get ids(): number[] {
    return Array.from({ length: this.#replicas }, (_, index) => index + 1)
  }

  get on(): number[] {
    return [...this.#lives.keys()]
  }

  /** Loads the next process of each replica that has none waiting. */
  prepare(): void {
    for (const id of this.ids) if (!this.#spares.has(id)) this.#spares.set(id, this.#spawn(id))
  }

  /** Resolves when it has begun to open its directory. */
  async powerOn(id: number, seed: string): Promise<void> {
    this.prepare()
    const life = this.#spares.get(id)!
    await this.#heard(life, id, 'loaded')
    this.#spares.delete(id)
    this.#lives.set(id, life)
    // It may have died while it loaded, and its end has been noted.
    if (!life.gone) life.child.send(seed, () => {})
    await this.#heard(life, id, 'opening')
  }

  /** Resolves when it listens, or says why it never will. */
  async ready(id: number): Promise<void> {
    const life = this.#lives.get(id)
    if (life !== undefined) await this.#heard(life, id, 'ready')
  }

  /** All at once, as near as signals come. Resolves with what they counted when all are gone. */
  async cut(ids: readonly number[]): Promise<VolatileCounts[]> {
    const lives = ids.flatMap((id) => this.#lives.get(id) ?? [])
    for (const { child } of lives) child.kill('SIGKILL')
    for (const id of ids) this.#lives.delete(id)
    await Promise.all(lives.map((life) => this.#until(life, () => life.gone, 'did not die')))
    return lives.map(({ counts }) => readCounts(counts))
  }

  async off(): Promise<void> {
    const all = [...this.#spares.values(), ...this.#lives.values()]
    for (const { child } of all) child.kill('SIGKILL')
    await Promise.all(all.map((life) => this.#until(life, () => life.gone, 'did not die')))
  }

  #spawn(id: number): Life {
    const counts = join(this.#local.dir, `counts-${++this.#livesTotal}`)
    const args = ['--folder', replicaFolder(this.#local.dir, id), '--network', this.#local.networkPath]
    args.push('--replicas', String(this.#replicas), '--counts', counts)
    const child = fork(this.#program, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
    const life: Life = { child, counts, told: new Set(), watchers: new Set(), gone: false }
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)))
    child.on('message', (told: Told) => this.#hear(id, life, told))
    child.on('exit', (code, signal) => {
      life.gone = true
      if (signal !== 'SIGKILL') this.problems.push(`replica ${id} ended by itself (${signal ?? code}): ${said}`)
      for (const watch of [...life.watchers]) watch()
    })
    return life
  }

  #hear(id: number, life: Life, told: Told): void {
    life.told.add(told.kind)
    if (told.kind === 'refused') this.problems.push(`replica ${id} does not start: ${told.message}`)
    if (told.kind === 'failed') this.problems.push(`replica ${id} has failed: ${told.message}`)
    if (told.kind === 'ready') {
      const before = this.#incarnations.get(id) ?? 0
      const { incarnation } = told
      if (incarnation <= before)
        this.problems.push(`replica ${id} starts as incarnation ${incarnation} after ${before}`)
      this.#incarnations.set(id, incarnation)
    }
    for (const watch of [...life.watchers]) watch()
  }

  #heard(life: Life, id: number, kind: Told['kind']): Promise<void> {
    const settled = (): boolean => life.gone || life.told.has(kind) || life.told.has('refused')
    return this.#until(life, settled, `replica ${id} was not heard to be ${kind}`)
  }

  #until(life: Life, settled: () => boolean, otherwise: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        life.watchers.delete(look)
      }
      const look = (): void => {
        if (!settled()) return
        settle()
        resolve()
      }
      const timer = setTimeout(() => {
        settle()
        reject(new Error(`${otherwise} within ${answerMsMax} ms`))
      }, answerMsMax)
      life.watchers.add(look)
      look()
    })
  }
}
