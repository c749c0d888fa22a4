// How far a benchmark has come: a bar for a person, a line of JSON for a program.

import { planSeconds, roundSeconds } from '../../benchmark/plan/estimate.ts'
import type { Plan } from '../../benchmark/plan/plan.ts'
import { sentenceOf } from '../../benchmark/report/sections.ts'
import type { BenchmarkEvent } from '../../benchmark/run-plan.ts'
import { progressBar, type Output } from '../output.ts'

export function planSentence(plan: Plan): string {
  const { rounds } = plan
  const systems = [...new Set(rounds.map(({ system }) => system))].join(', ')
  const runs = Math.max(...rounds.map(({ run }) => run))
  const points = rounds.reduce((sum, round) => sum + round.points.length, 0)
  return `${systems}: ${rounds.length} starts in ${runs} ${runs === 1 ? 'run' : 'runs'}, ${points} points, about ${minutes(planSeconds(plan))}`
}

export function minutes(seconds: number): string {
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}

export function createProgress({ rounds }: Plan, json: boolean, output: Output): (event: BenchmarkEvent) => void {
  let [done, measured] = [0, 0]
  const show = (round: number): void => {
    const { system, replicas, run, points } = rounds[round]!
    const left = rounds.slice(done).reduce((sum, one) => sum + roundSeconds(one), 0)
    const next = points[measured]
    const what = next === undefined ? 'stops' : sentenceOf(next)
    output.progress(
      `${progressBar(done, rounds.length)} about ${minutes(left)} left, run ${run}: ${system}, ${replicas} replicas, ${what}`,
    )
  }
  return (event) => {
    if (json) output.out(JSON.stringify({ at: new Date().toISOString(), ...event }))
    switch (event.kind) {
      case 'round':
        measured = 0
        return show(event.round)
      case 'measured':
        measured++
        return show(event.round)
      case 'ended':
        done = event.round + 1
        return
      default:
    }
  }
}
