// What the README says is what there is: its two commands are scripts that exist, its example is the one that runs.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const readme = readFileSync(`${root}README.md`, 'utf8')

describe('the README', () => {
  it('shows the example that is compiled and run', () => {
    const snippet = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
    const example = readFileSync(`${root}examples/embedded.ts`, 'utf8').replace("'../src/index.ts'", "'quorate'")
    expect(example.slice(example.indexOf('import '))).toBe(snippet)
  })

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/`((?:docs|examples)\/[a-z-]+\.(?:md|ts))`/g)].map((match) => match[1]!)
    expect(links.length).toBeGreaterThan(5)
    for (const link of links) expect(() => readFileSync(root + link)).not.toThrow()
  })

  it('names the commands that CI runs', () => {
    const commands = [...readme.matchAll(/```sh\n(.*)\n```/g)].map((match) => match[1])
    expect(commands).toEqual(['npm ci && npx quorate up --protocol pbft --replicas 4', 'npm ci && npm test'])
  })
})
