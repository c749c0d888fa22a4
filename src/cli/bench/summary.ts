// What a benchmark came to, on the screen: the figures that matter at a glance. The report has the others.

import { comparisonRows, comparisonTitles } from '../../benchmark/report/compare.ts'
import { ceilingsOf } from '../../benchmark/report/ceiling.ts'
import { columnsFor, isCrowded, peerRatio, shownNumber, shownSpread } from '../../benchmark/report/columns.ts'
import { figuresOf, type Figure } from '../../benchmark/report/figures.ts'
import { costsOf, type ProcessCost } from '../../benchmark/report/profile-section.ts'
import type { Report } from '../../benchmark/report/report.ts'
import { sectionsOf, type Section } from '../../benchmark/report/sections.ts'
import { isOurs } from '../../benchmark/plan/systems.ts'
import { table, type Output } from '../output.ts'

export function printSummary(report: Report, before: Report | null, output: Output): void {
  const figures = figuresOf(report)
  for (const section of sectionsOf(figures)) {
    output.out(output.bold(section.title))
    for (const line of table(rowsOf(section, report, figures))) output.out(`  ${line}`)
  }
  if (figures.some((figure) => isCrowded(figure, report.machine.cores))) {
    const cores = report.machine.cores
    output.out(
      `more processes than the ${cores} cores: latency is also time spent waiting for one, CPU for an operation is not`,
    )
  }
  printCeilings(report, figures, output)
  printCosts(report, output)
  for (const { plan, check } of report.rounds) {
    if (check === undefined) continue
    output.out(output.bold(`${plan.system}, ${plan.replicas} replicas, by its own check`))
    for (const line of check.split('\n')) output.out(`  ${line}`)
  }
  if (before !== null) {
    output.out(output.bold(`beside the report of ${before.startedAt}`))
    for (const line of table([[...comparisonTitles], ...comparisonRows(before, report)])) output.out(`  ${line}`)
  }
  for (const { plan, failure } of report.rounds) {
    if (failure !== null)
      output.out(output.red(`${plan.system}, ${plan.replicas} replicas, run ${plan.run}: ${failure}`))
  }
}

function rowsOf({ figures: own, label }: Section, { machine }: Report, figures: readonly Figure[]): string[][] {
  const columns = columnsFor(own, machine.cores).filter(({ brief }) => brief)
  const peers = [...new Set(figures.map(({ setup }) => setup.system))].filter((name) => !isOurs(name))
  return [
    ['system', 'what', ...peers.map((peer) => `× ${peer}`), ...columns.map(({ title }) => title)],
    ...own.map((figure) => [
      figure.setup.system,
      label(figure),
      ...peers.map((peer) => shownSpread(peerRatio(figure, figures, peer))),
      ...columns.map(({ spread }) => shownSpread(spread(figure))),
    ]),
  ]
}

function printCeilings(report: Report, figures: readonly Figure[], output: Output): void {
  for (const { figure, operationsPerSecond, reached } of ceilingsOf(report, figures)) {
    const share = ((100 * reached.median) / operationsPerSecond).toFixed(0)
    output.out(
      `${figure.setup.system}, ${figure.point.clients} signers: verifying alone allows ${shownNumber(operationsPerSecond)} operations a second, ${share}% of it are reached`,
    )
  }
}

function printCosts({ rounds }: Report, output: Output): void {
  for (const round of rounds.filter(({ profiles }) => profiles.length > 0)) {
    const costs = costsOf(round)
    const categories = costs[0]?.byCategory.map(({ category }) => category) ?? []
    output.out(output.bold(`${round.plan.system}, ${round.plan.replicas} replicas: CPU µs for an operation`))
    const rows = costs.map(costRow)
    for (const line of table([['process', 'all', ...categories], ...rows])) output.out(`  ${line}`)
  }
}

function costRow({ process, microseconds, byCategory }: ProcessCost): string[] {
  return [process, ...[microseconds, ...byCategory.map((one) => one.microseconds)].map(shownNumber)]
}
