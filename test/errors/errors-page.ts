// docs/errors.md, made from the table of codes: `npm run errors` writes it, and a test says when that was forgotten.

import { errorGroups, type ErrorGroup, type ErrorMeaning } from '../../src/kernel/error-codes.ts'

const certainties = {
  definite: 'certainly not executed',
  indefinite: 'may have been executed',
  either: 'one or the other: the error says which',
} as const

export function errorsPage(): string {
  return [
    '# Error codes',
    '',
    'Every error has a `code` that stays the same from release to release, and one sentence for people that ends with the next step. Failures',
    'of operations have a `certainty` too: `definite` says that the operation certainly was not executed and never will be, `indefinite` that it',
    'may have been executed, or may be yet. Whoever repeats the latter without reading the state first may do a thing twice.',
    '',
    'The command line prints the code behind the sentence, ends with exit code 1, and with `--json` prints `{"ok":false,"code":…,"message":…}`.',
    '',
    ...errorGroups.flatMap(section),
    '## Bytes that are not what they should be',
    '',
    'Codes that begin with `ERR_WIRE_` say why bytes were not decoded. They stand in [the wire format](wire-format.md).',
    '',
    'This page is made from `src/kernel/error-codes.ts` by `npm run errors`.',
    '',
  ].join('\n')
}

function section({ title, codes }: ErrorGroup): string[] {
  const rows = Object.entries(codes)
  const hasCertainty = rows.some(([, { certainty }]) => certainty !== undefined)
  const titles = ['code', 'meaning', 'next step', ...(hasCertainty ? ['the operation'] : [])]
  return [
    `## ${title}`,
    '',
    row(titles),
    row(titles.map(() => '---')),
    ...rows.map(([code, meaning]) => row(cells(code, meaning, hasCertainty))),
    '',
  ]
}

function cells(code: string, { meaning, nextStep, certainty }: ErrorMeaning, hasCertainty: boolean): string[] {
  const told = certainty === undefined ? '' : certainties[certainty]
  return [`\`${code}\``, meaning, nextStep, ...(hasCertainty ? [told] : [])]
}

function row(texts: readonly string[]): string {
  return `| ${texts.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`
}
