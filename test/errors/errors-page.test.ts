import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorCodes, errorGroups } from '../../src/kernel/error-codes.ts'
import { errorsPage } from './errors-page.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const table = 'kernel/error-codes.ts'

function codesInSources(): Set<string> {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const texts = files
    .filter((file) => file.endsWith('.ts') && file !== table)
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
  return new Set(texts.flatMap((text) => [...text.matchAll(/['"`](ERR_[A-Z0-9_]+)['"`]/g)].map((match) => match[1]!)))
}

const isWireCode = (code: string): boolean => code.startsWith('ERR_WIRE_')

test('docs/errors.md is what the generator writes: npm run errors', () => {
  expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(errorsPage())
})

test('every code in the sources stands in the table, and those of the wire format in its document', () => {
  const wireFormat = readFileSync(join(root, 'docs/wire-format.md'), 'utf8')
  const unknown = [...codesInSources()].filter((code) =>
    isWireCode(code) ? !wireFormat.includes(`\`${code}\``) : !(code in errorCodes),
  )
  expect(unknown).toEqual([])
})

test('every code in the table occurs in the sources, in one group', () => {
  const used = codesInSources()
  expect(Object.keys(errorCodes).filter((code) => !used.has(code))).toEqual([])
  const grouped = errorGroups.flatMap(({ codes }) => Object.keys(codes))
  expect(grouped).toEqual(Object.keys(errorCodes))
})

test('every code of an operation says whether it was executed', () => {
  const silent = Object.entries(errorGroups[0]!.codes).filter(([, { certainty }]) => certainty === undefined)
  expect(errorGroups[0]!.title).toBe('Operations')
  expect(silent).toEqual([])
})
