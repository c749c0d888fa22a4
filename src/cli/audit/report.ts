// An audit's result, as sentences for people.

import type { Output } from '../output.ts'
import type { DirectoryFindings } from './findings.ts'
import type { Disagreement, Lie, Witness } from './witness.ts'

export function printDirectory(findings: DirectoryFindings, output: Output): void {
  const { path, replica, records, decided, states, evidence, faults, faultCount, gaps, tornBytes } = findings
  const certified = states.filter(({ isCertified }) => isCertified).length
  const about = [
    `${records} records`,
    `${decided} decisions`,
    `${certified} of ${states.length} states certified`,
    ...(evidence > 0 ? [`evidence of ${evidence} lies`] : []),
    ...(gaps > 0 ? [`${gaps} gaps, closed by fetched states`] : []),
    ...(tornBytes > 0 ? [`${tornBytes} torn bytes at the end of the log, which a start cuts`] : []),
  ].join(', ')
  const verdict = findings.ok ? output.green('verified') : output.red('WRONG')
  output.out(`${verdict}  replica ${replica}  ${path}: ${about}`)
  for (const { where, what } of faults) output.out(`  ${where}: ${what}`)
  if (faultCount > faults.length) output.out(`  and ${faultCount - faults.length} more`)
}

export function printTogether(witness: Witness, directories: number, output: Output): void {
  for (const lie of witness.lies) output.out(`${output.red('LIE')}  ${lieSentence(lie)}`)
  for (const one of witness.disagreements) output.out(`${output.red('DISAGREEMENT')}  ${disagreementSentence(one)}`)
  if (directories < 2) return
  if (witness.disagreements.length === 0)
    output.out(`the directories agree wherever they overlap: ${witness.compared} times`)
}

function lieSentence({ replica, domain, about, directories }: Lie): string {
  return `replica ${replica} has signed two statements that contradict each other: ${domain}, ${about} (${directories.join(', ')})`
}

const nouns = {
  block: 'two blocks were decided',
  state: 'two states were reached',
  entry: 'two entries were made',
} as const

function disagreementSentence({ kind, height, term, versions, signedBoth, wrong }: Disagreement): string {
  const place = term === undefined ? `height ${height}` : `index ${height}, term ${term}`
  const sides = versions
    .map(({ digest, directories, signers, views }) => {
      const by = signers.length === 0 ? '' : `, signed by ${signers.join(', ')}`
      const inView = views.length === 0 ? '' : ` (view ${views.join(', ')})`
      return `${digest.slice(0, 16)}${inView} in ${directories.join(', ')}${by}`
    })
    .join('; ')
  return `${place}: ${nouns[kind]}: ${sides}; ${conclusion(signedBoth, wrong)}`
}

function conclusion(signedBoth: readonly number[], wrong: readonly string[] | null): string {
  if (signedBoth.length > 0) {
    const who = signedBoth.join(', ')
    return `replicas ${who} signed both: in one view that is a lie by itself, and else the first was hidden in a view change`
  }
  return wrong === null ? 'which of them is wrong is unknown' : `wrong: ${wrong.join(', ')}`
}
