// One test that fails is enough for the bug of its copy: the others of that copy are skipped, and files that have not begun are not even loaded.

import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect } from 'vitest'

const folder = dirname(fileURLToPath(import.meta.url))

function mark(testFile: string): string {
  const [bug] = relative(folder, testFile).split('/')
  return join(folder, bug!, 'found')
}

const { testPath } = expect.getState()
if (testPath !== undefined && existsSync(mark(testPath))) throw new Error('another file has found this bug')

beforeEach((context) => {
  if (existsSync(mark(context.task.file.filepath))) context.skip()
})

afterEach(({ task }) => {
  if (task.result?.state === 'fail') writeFileSync(mark(task.file.filepath), '')
})
