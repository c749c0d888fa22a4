// Goal: packets of a round wait half a round trip each way, in a namespace that is gone afterwards. Method: the commands that would be run, since
// they need root and a kernel with netem.

import { describe, expect, it } from 'vitest'
import { createNetworkNamespace } from '../../src/benchmark/network-namespace.ts'

describe('a network namespace', () => {
  const name = `quorate-${process.pid}`

  it('is made, delays on its loopback, drops nothing, and is deleted', () => {
    const run: string[] = []
    const namespace = createNetworkNamespace(10, (file, args) => void run.push([file, ...args].join(' ')))
    expect(run).toEqual([
      `ip netns add ${name}`,
      `ip -n ${name} link set lo up`,
      `tc -n ${name} qdisc add dev lo root netem delay 5000us limit 1000000`,
    ])
    namespace.remove()
    expect(run.at(-1)).toBe(`ip netns delete ${name}`)
  })

  it('runs commands inside, as they are', () => {
    const { wrapped } = createNetworkNamespace(1, () => {})
    const command = { file: 'node', args: ['a.js', '{}'], environment: { A: 'b' } }
    expect(wrapped(command)).toEqual({
      file: 'ip',
      args: ['netns', 'exec', name, 'node', 'a.js', '{}'],
      environment: { A: 'b' },
    })
  })

  it.each([
    [
      'not root',
      Object.assign(new Error(''), { stderr: 'mkdir /run/netns failed: Permission denied\n' }),
      'Permission denied',
    ],
    ['no iproute2', Object.assign(new Error(''), { code: 'ENOENT', stderr: '' }), 'they are not installed'],
    [
      'no netem',
      Object.assign(new Error(''), { stderr: 'Error: Specified qdisc kind is unknown.\n' }),
      'kind is unknown',
    ],
  ])('is refused in one sentence, and leaves nothing: %s', (_name, error, words) => {
    const run: string[] = []
    const fail = (file: string, args: readonly string[]): void => {
      run.push(args.join(' '))
      if (file === 'tc') throw error
    }
    expect(() => createNetworkNamespace(10, fail)).toThrow(words)
    expect(run.at(-1)).toBe(`netns delete ${name}`)
    expect(() =>
      createNetworkNamespace(10, () => {
        throw error
      }),
    ).toThrow(/^--round-trip-ms needs root and .*: run it as root.*, or leave it out$/)
  })
})
