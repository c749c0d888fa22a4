// Whether delays can be made is tried before a benchmark begins, with the longest that is asked for, and nothing stays behind.

import { expect, it } from 'vitest'
import { requireDelays } from '../../src/cli/bench/delays.ts'
import { UsageError } from '../../src/cli/options.ts'
import { createNetworkNamespace } from '../../src/benchmark/network-namespace.ts'

const round = { run: 1, system: 'raft', replicas: 3, fsync: true, profile: false, points: [] }
const plan = (...roundTripsMs: number[]) => ({
  rounds: roundTripsMs.map((roundTripMs) => Object.assign({ roundTripMs }, round)),
})

it('makes the network of the longest, and removes it', () => {
  const ran: string[] = []
  const create = (ms: number) => createNetworkNamespace(ms, (file, args) => void ran.push([file, ...args].join(' ')))
  requireDelays(plan(0, 10, 50, 1), create)
  expect(ran.filter((command) => command.includes('delay')).join()).toContain('delay 25000us')
  expect(ran.at(-1)).toMatch(/^ip netns delete /)
})

it('asks for nothing where there are no delays', () => {
  requireDelays(plan(0, 0), () => {
    throw new Error('never')
  })
})

it('says what is missing as wrong use', () => {
  const create = () => {
    throw new Error('--round-trip-ms needs root')
  }
  expect(() => requireDelays(plan(1), create)).toThrow(new UsageError('--round-trip-ms needs root'))
})
