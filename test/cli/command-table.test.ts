import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandTable } from '../../src/cli/command-table.ts'

test.each(commandTable)('$name: the table says what the command says', async ({ name, summary, load }) => {
  const command = await load()
  const said = 'spec' in command ? command.spec : command
  expect({ name, summary }).toEqual({ name: said.name, summary: said.summary })
})

test('nothing loads a command before it is called', () => {
  for (const file of ['main', 'command-table']) {
    const text = readFileSync(new URL(`../../src/cli/${file}.ts`, import.meta.url), 'utf8')
    expect(text).not.toMatch(/^import (?!type).*\/commands\//m)
  }
})
