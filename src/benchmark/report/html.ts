// A report as one file that needs no other: text, tables, and pictures as SVG. Whatever stands in the figures is text here, and nothing runs.

import { isOurs } from '../plan/systems.ts'
import { drawPlots } from '../plot/line-plot.ts'
import { ceilingsOf } from './ceiling.ts'
import { columnsFor, isCrowded, peerRatio, shownNumber, shownSpread } from './columns.ts'
import { comparisonRows, comparisonTitles } from './compare.ts'
import { figuresOf, spreadOf, type Figure } from './figures.ts'
import { escaped, plainTable } from './markup.ts'
import { plotsOf } from './plots.ts'
import { profileSection } from './profile-section.ts'
import type { Report } from './report.ts'
import { sectionsOf, type Section } from './sections.ts'

const style = `body{font-family:sans-serif;max-width:1300px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0;font-size:13px}th,td{padding:3px 9px;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th{border-bottom:2px solid #888}td:first-child,td:nth-child(2),th:first-child,th:nth-child(2){text-align:left}
.crowded{color:#999}.note{color:#555;max-width:60em}.bad{color:#a02020}svg{max-width:100%;height:auto}`

/** With an earlier report of the same plan, both side by side. */
export function htmlReport(report: Report, before: Report | null = null): string {
  const figures = figuresOf(report)
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    // Not even a picture is fetched from elsewhere.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>quorate bench, ${escaped(report.startedAt)}</title><style>${style}</style></head><body>`,
    '<h1>quorate bench</h1>',
    ...head(report),
    ...comparison(report, before),
    ...sectionsOf(figures).flatMap((section) => drawSection(section, report, figures)),
    ...ceilings(report, figures),
    ...profileSection(report),
    ...ownChecks(report),
    ...failedRounds(report),
    ...repeating(),
    '</body></html>',
    '',
  ].join('\n')
}

function head({ startedAt, seconds, state, failure, machine, quorate, systems, yardsticks, rounds }: Report): string[] {
  const { cpuModel, cores, memoryMegabytes, kernel, node, platform } = machine
  const runs = new Set(rounds.map(({ plan }) => plan.run)).size
  const yardstick = (of: (one: Report['yardsticks'][number]) => number): string =>
    shownSpread(spreadOf(yardsticks.map(of)))
  const commit = quorate.commit === null ? '' : `, commit ${quorate.commit}`
  const why = failure === undefined ? '' : `, ${escaped(failure)}`
  return [
    ...(state === 'complete' ? [] : [`<p class="bad">This run did not come to its end: ${state}${why}.</p>`]),
    definitions([
      ['began', `${startedAt}, took ${Math.round(seconds / 60)} min, ${runs} runs, contenders in turns`],
      ['machine', `${cpuModel}, ${cores} cores, ${memoryMegabytes} MB, ${kernel}, Node ${node}, ${platform}`],
      ['quorate', `${quorate.version}${commit}`],
      ...systems.map(({ name, version }): [string, string] => [name, version]),
      ['Ed25519 verifies in a CPU second', yardstick((one) => one.verifies)],
      ['SHA-256, MB in a CPU second', yardstick((one) => one.hashMegabytes)],
      ['fdatasync, median ms', yardstick((one) => one.syncMs.median)],
      ['fdatasync, p99 ms', yardstick((one) => one.syncMs.p99)],
    ]),
    '<p class="note">Figures are medians of the runs, with the lowest and the highest. A ratio is worked out run by run, since the machine drifts. CPU is ms for one operation, counts are for 1,000 operations.</p>',
  ]
}

function comparison(report: Report, before: Report | null): string[] {
  if (before === null) return []
  const commit = before.quorate.commit === null ? '' : `, commit ${before.quorate.commit}`
  return [
    `<h2>Beside the report of ${escaped(`${before.startedAt}, quorate ${before.quorate.version}${commit}`)}</h2>`,
    plainTable(comparisonTitles, comparisonRows(before, report)),
  ]
}

function drawSection(section: Section, report: Report, figures: readonly Figure[]): string[] {
  const { title, figures: own } = section
  const { cores } = report.machine
  const crowded = own.some((figure) => isCrowded(figure, cores))
  return [
    `<h2>${escaped(title)}</h2>`,
    ...(crowded
      ? [
          `<p class="note">Processes are more than the ${cores} cores: they wait for each other, and latency (grey) is not comparable with that of a machine of each. What an operation costs is.</p>`,
        ]
      : []),
    ...plotsOf(section).map((plot) => drawPlots([plot])),
    figureTable(section, report, figures),
  ]
}

function figureTable({ figures: own, label }: Section, { machine }: Report, figures: readonly Figure[]): string {
  const columns = columnsFor(own, machine.cores)
  const peers = [...new Set(figures.map(({ setup }) => setup.system))].filter((name) => !isOurs(name))
  const titles = [
    '<th>system</th><th>what</th><th>replicas</th>',
    ...peers.map((peer) => `<th>× ${escaped(peer)}</th>`),
    ...columns.map(({ title, meaning }) => `<th title="${escaped(meaning)}">${escaped(title)}</th>`),
  ]
  const rows = own.map((figure) => {
    const greyed = isCrowded(figure, machine.cores) ? ' class="crowded"' : ''
    const cells = [
      `<td>${escaped(figure.setup.system)}</td><td>${escaped(label(figure))}</td><td>${figure.setup.replicas}</td>`,
      ...peers.map((peer) => `<td>${shownSpread(peerRatio(figure, figures, peer))}</td>`),
      ...columns.map(({ title, spread }) => {
        return `<td${title.endsWith(' ms') ? greyed : ''}>${shownSpread(spread(figure))}</td>`
      }),
    ]
    return `<tr>${cells.join('')}</tr>`
  })
  return `<table><tr>${titles.join('')}</tr>\n${rows.join('\n')}</table>`
}

function ceilings(report: Report, figures: readonly Figure[]): string[] {
  const all = ceilingsOf(report, figures)
  if (all.length === 0) return []
  const rows = all.map(({ figure: { setup, point }, operationsPerSecond, reached, verifyMicroseconds }) => {
    const share = ((100 * reached.median) / operationsPerSecond).toFixed(0)
    return [
      setup.system,
      `${point.clients} clients, ${setup.replicas} replicas, ${shownNumber(verifyMicroseconds)} µs`,
      shownNumber(operationsPerSecond),
      shownSpread(reached),
      `${share}%`,
    ]
  })
  return [
    '<h2>Independent signers and their ceiling</h2>',
    `<p class="note">Each replica verifies the envelope of each client. If the ${report.machine.cores} cores did nothing else, there would be so many operations a second.</p>`,
    plainTable(['system', 'envelopes and what verifying one costs', 'ceiling, ops/s', 'reached', 'of it'], rows),
  ]
}

function ownChecks({ rounds }: Report): string[] {
  return rounds.flatMap(({ plan: { system, replicas }, check }) =>
    check === undefined
      ? []
      : [`<h2>${escaped(system)}, ${replicas} replicas, by its own check</h2><pre>${escaped(check)}</pre>`],
  )
}

function failedRounds({ rounds }: Report): string[] {
  const failed = rounds.filter(({ failure }) => failure !== null)
  if (failed.length === 0) return []
  const rows = failed.map(({ plan, failure }) => [plan.system, `run ${plan.run}, ${plan.replicas} replicas`, failure!])
  return ['<h2>Rounds that did not come to their end</h2>', plainTable(['system', 'round', 'why'], rows)]
}

function repeating(): string[] {
  return [
    '<h2>To repeat it</h2>',
    '<p>All raw figures, histograms among them, are in <code>report.json</code> beside this file. <code>npx quorate bench --repeat report.json</code> runs the same plan again, and shows both side by side. <code>docs/benchmark.md</code> says what each figure means.</p>',
  ]
}

function definitions(rows: readonly [string, string][]): string {
  return `<table>${rows.map(([name, what]) => `<tr><td>${escaped(name)}</td><td>${escaped(what)}</td></tr>`).join('\n')}</table>`
}
