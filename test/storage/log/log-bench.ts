// A log on a simulated disk, driven by hand: opened, written, crashed, opened again.

import { createRandom, type Random } from '../../../src/kernel/random.ts'
import { Scheduler } from '../../../src/simulator/scheduler.ts'
import { SimulatedDisk } from '../../../src/simulator/disk/simulated-disk.ts'
import { crc32 } from '../../../src/storage/log/crc32.ts'
import type { FileError } from '../../../src/storage/log/file-port.ts'
import type { Voice } from '../../../src/storage/log/format.ts'
import { initializeLog } from '../../../src/storage/log/initialize.ts'
import { logLimitsDefault, type Log, type LogLimits } from '../../../src/storage/log/log.ts'
import { openLog } from '../../../src/storage/log/open-log.ts'
import { recoverLog, type LogRefusal, type RecoveredLog } from '../../../src/storage/log/recovery.ts'

export const identity = { network: new Uint8Array(32).fill(5), replica: 3 }

export class LogBench {
  readonly scheduler = new Scheduler()
  readonly disk: SimulatedDisk
  readonly limits: LogLimits
  log: Log | null = null
  durable: number[] = []
  failure: FileError | null = null
  fullError: FileError | null = null

  constructor(random: Random = createRandom('log bench'), limits: Partial<LogLimits> = {}) {
    this.limits = { ...logLimitsDefault, ...limits }
    this.disk = new SimulatedDisk({
      random,
      latency: { writeUs: 10, syncUsMin: 50, syncUsMax: 200 },
      schedule: (delayUs, run) => void this.scheduler.after(delayUs, run),
    })
  }

  initialize(voice: Voice = 'votes', incarnation = 0): void {
    let ended = false
    initializeLog({ directory: this.disk, crc32, ...identity, voice, incarnation }, (error) => {
      if (error !== null) throw new Error(error.message)
      ended = true
    })
    this.run()
    if (!ended) throw new Error('initializing did not end')
  }

  recover(expected = identity): RecoveredLog | LogRefusal {
    const recovery = recoverLog({ directory: this.disk, crc32, expected })
    for (;;) {
      const step = recovery.next()
      if (step.done === true) return step.value
    }
  }

  /** Begins to open; the log is there when the disk has answered. */
  beginOpen(): LogRefusal | null {
    const recovered = this.recover()
    if (!recovered.ok) return recovered
    this.log = null
    this.durable = []
    const listener = {
      durable: (upTo: number) => this.durable.push(upTo),
      full: (error: FileError) => (this.fullError = error),
      failed: (error: FileError) => (this.failure = error),
    }
    const options = { directory: this.disk, crc32, listener, limits: this.limits }
    openLog(
      options,
      recovered,
      (log) => (this.log = log),
      (error) => (this.failure = error),
    )
    return null
  }

  open(): Log {
    const refusal = this.beginOpen()
    if (refusal !== null) throw new Error(refusal.message)
    this.run()
    if (this.log === null) throw new Error('the log did not open')
    return this.log
  }

  /** Lets everything happen that is under way, or only so many things. */
  run(steps: number = Infinity): void {
    for (let step = 0; step < steps && this.scheduler.step(Infinity); step++);
  }

  /** Contents as texts. */
  texts(): string[] {
    return [...this.log!.records()].map((record) => String.fromCharCode(...record.bytes))
  }
}

export function text(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => character.charCodeAt(0))
}
