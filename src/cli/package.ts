// The package that this command line is part of.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const packageFolder: string = fileURLToPath(new URL('../../', import.meta.url))

export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
