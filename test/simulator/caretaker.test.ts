// Whoever looks after the replicas tries a refused log once more before giving it up, and serves only the core in the end.

import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/kernel/random.ts'
import { Caretaker, type Patient } from '../../src/simulator/caretaker.ts'
import { Scheduler } from '../../src/simulator/scheduler.ts'

class ScriptedPatient implements Patient {
  isUp = false
  refusals = 0
  readonly done: string[] = []

  restart(): void {
    this.done.push('restart')
  }

  rejoin(): void {
    this.done.push('rejoin')
  }

  losePower(): void {
    this.done.push('power')
  }
}

function bench(seed: string = 'operator', damaged = true) {
  const scheduler = new Scheduler()
  const caretaker = new Caretaker({ scheduler, random: createRandom(seed), isDamaged: () => damaged })
  const run = (): void => {
    while (scheduler.step(scheduler.nowUs + 2_000_000));
  }
  return { caretaker, run }
}

describe('the caretaker', () => {
  it('starts a refused log as it is once more, and then gives it up', () => {
    const { caretaker, run } = bench()
    const patient = new ScriptedPatient()
    for (const refusals of [1, 2]) {
      patient.refusals = refusals
      caretaker.ended(patient, 'log-refused')
      run()
    }
    expect(patient.done).toEqual(['restart', 'rejoin'])
  })

  it('never gives up a disk that has lost nothing: it has only read wrong', () => {
    const { caretaker, run } = bench('operator', false)
    const patient = new ScriptedPatient()
    for (const refusals of [1, 2, 3]) {
      patient.refusals = refusals
      caretaker.ended(patient, 'log-refused')
      run()
    }
    expect(patient.done).toEqual(['restart', 'restart', 'restart'])
  })

  it('sometimes switches the machine of a failed disk off and on, and never that of a refused log', () => {
    let cycled = 0
    for (let seed = 0; seed < 60; seed++) {
      const { caretaker, run } = bench(`operator ${seed}`)
      const [failed, refused] = [new ScriptedPatient(), new ScriptedPatient()]
      caretaker.ended(failed, 'storage-failed')
      caretaker.ended(refused, 'log-refused')
      run()
      expect(failed.done.at(-1)).toBe('restart')
      expect(refused.done).toEqual(['restart'])
      cycled += failed.done.length - 1
    }
    expect(cycled).toBeGreaterThan(5)
    expect(cycled).toBeLessThan(40)
  })

  it('leaves alone what is up again, and whoever is not in the core', () => {
    const { caretaker, run } = bench()
    const [up, lost, core] = [new ScriptedPatient(), new ScriptedPatient(), new ScriptedPatient()]
    up.isUp = true
    caretaker.ended(up, 'storage-failed')
    caretaker.ended(lost, 'log-refused')
    caretaker.serveOnly([core])
    caretaker.ended(core, 'log-refused')
    run()
    expect([up.done, lost.done, core.done]).toEqual([[], [], ['restart']])
  })
})
