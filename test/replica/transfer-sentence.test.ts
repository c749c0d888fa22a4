// What an operator reads at three in the morning about a state on its way.

import { expect, it } from 'vitest'
import type { TransferStatus } from '../../src/replica/checkpoints/transfer-status.ts'
import { transferSentence } from '../../src/replica/transfer-sentence.ts'

const asking: TransferStatus = {
  phase: 'asking',
  why: null,
  minimumHeight: 300,
  height: null,
  chunks: null,
  chunksLeft: null,
  bytes: null,
  servers: [],
  paused: false,
}

it('says what is fetched, how much of it is there, from whom, and why it waits', () => {
  expect(transferSentence(asking)).toBe('fetches a state of height 300 or more')
  const servers = [
    { replica: 1, bytes: 1_048_576, chunks: 16, lied: null, spent: false },
    { replica: 2, bytes: 0, chunks: 0, lied: 'a chunk that is none', spent: false },
    { replica: 4, bytes: 9, chunks: 1, lied: null, spent: false },
  ] as unknown as TransferStatus['servers']
  const chunks = {
    ...asking,
    phase: 'chunks',
    height: 384,
    chunks: 40,
    chunksLeft: 23,
    bytes: 2_621_440,
    servers,
  } as const
  expect(transferSentence(chunks)).toBe(
    'fetches the state of height 384: 17 of 40 chunks of 2.5 MiB in all, from 1 and 4',
  )
  const waiting = { ...asking, phase: 'waiting', why: 'nobody has a state of that height' } as const
  expect(transferSentence(waiting)).toBe(
    'waits to fetch a state of height 300 or more again: nobody has a state of that height',
  )
})
