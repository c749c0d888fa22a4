// Goal: whatever a round's process does, its end is known and nothing of it is left. Method: real processes that say and do as a test wants.

import { describe, expect, it } from 'vitest'
import type { RoundLine } from '../../src/benchmark/round.ts'
import { runRound, type RoundCommand } from '../../src/benchmark/run-round.ts'
import { fakeRound, result, started } from './fake-round.ts'

interface Heard {
  failure: string | null
  lines: RoundLine[]
}

async function run(command: RoundCommand, options: Partial<Parameters<typeof runRound>[1]> = {}): Promise<Heard> {
  const lines: RoundLine[] = []
  const { signal } = new AbortController()
  const onLine = (line: RoundLine): void => void lines.push(line)
  const failure = await runRound(command, { patienceMs: 20_000, signal, onLine, ...options })
  return { failure, lines }
}

const says = (...lines: object[]): string => lines.map((line) => `say(${JSON.stringify(line)});`).join('')
const measured: RoundLine = { kind: 'measured', result: result() }

describe('a round', () => {
  it('is heard line by line, and ended well', async () => {
    expect(await run(fakeRound(says(started, measured)))).toEqual({ failure: null, lines: [started, measured] })
  })

  it('is told what it runs, and has its own environment beside ours', async () => {
    const command = fakeRound(
      `say({ ...round, version: process.env.QUORATE_TEST + (process.env.PATH ? '' : '!') })`,
      started,
    )
    const { lines } = await run({ ...command, environment: { QUORATE_TEST: 'yes' } })
    expect(lines).toEqual([{ ...started, version: 'yes' }])
  })

  it.each([
    [
      'what it says itself',
      says({ kind: 'failed', sentence: 'etcd is not there' }, { kind: 'failed', sentence: 'more' }),
      'etcd is not there',
    ],
    [
      'its code and last words',
      'console.error("first"); console.error("out of memory"); process.exit(3)',
      'its process ended with code 3: out of memory',
    ],
    ['the signal that ended it', 'process.kill(process.pid, "SIGKILL")', 'its process ended with SIGKILL'],
    ['words that are no line', 'console.log("hello")', 'it said what no round says: hello'],
    ['a line of another kind', says({ kind: 'cooked' }), 'it said what no round says: {"kind":"cooked"}'],
    ['a line that is null', 'console.log("null")', 'it said what no round says: null'],
  ])('fails with %s', async (_name, program, failure) => {
    expect((await run(fakeRound(program))).failure).toBe(failure)
  })

  it('keeps what was heard before it failed', async () => {
    const { failure, lines } = await run(fakeRound(`${says(started, measured)}process.exitCode = 1`))
    expect(lines).toEqual([started, measured])
    expect(failure).toBe('its process ended with code 1')
  })

  it('fails where its program is not there', async () => {
    expect((await run({ file: '/nowhere/node', args: [] })).failure).toContain('ENOENT')
  })

  it('is told to stop when it is interrupted, and does so in its own time', async () => {
    const controller = new AbortController()
    const program = `${says(started)}process.on('SIGTERM', () => { say(${JSON.stringify(measured)}); process.exit(0) }); setInterval(() => {}, 1000)`
    const heard = await run(fakeRound(program), { signal: controller.signal, onLine: () => controller.abort() })
    expect(heard.failure).toBe('it was interrupted')
  })

  it('is ended where it does not stop', async () => {
    const controller = new AbortController()
    const program = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); ${says(started)}`
    const options = { signal: controller.signal, onLine: () => controller.abort(), stopMs: 50 }
    expect((await run(fakeRound(program), options)).failure).toBe('it was interrupted')
  })

  it('is ended where it hangs', async () => {
    const heard = await run(fakeRound('setInterval(() => {}, 1000)'), { patienceMs: 300 })
    expect(heard.failure).toBe('it was not done after 0 s')
  })

  it('does not begin where all is over already', async () => {
    expect(await run({ file: '/nowhere/node', args: [] }, { signal: AbortSignal.abort() })).toEqual({
      failure: 'it was interrupted',
      lines: [],
    })
  })
})
