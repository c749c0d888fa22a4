// A line that is printed to be copied must reach the shell as one word, in whatever folder that shell stands.

import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { shellPath } from '../../src/cli/shell-words.ts'

it('is the path in full', () => {
  expect(shellPath('net')).toBe(resolve('net'))
})

it('is one word to a shell, whatever the name contains', () => {
  const path = join('/tmp', "it's $HOME; a `folder`")
  expect(execFileSync('sh', ['-c', `printf %s ${shellPath(path)}`], { encoding: 'utf8' })).toBe(path)
})
