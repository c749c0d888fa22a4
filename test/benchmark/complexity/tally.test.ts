// What several replicas have done together, between two moments.

import { expect, it } from 'vitest'
import { difference, tallyOf } from '../../../src/benchmark/complexity/tally.ts'
import { perBlock } from '../../../src/benchmark/complexity/simulated.ts'
import { contenders } from '../../../src/benchmark/contenders.ts'

const signatures = {
  protocol: { made: 1, checked: 2 },
  checkpoints: { made: 10, checked: 20 },
  envelopes: { made: 0, checked: 300 },
  fetching: { made: 1000, checked: 2000 },
}
const work = { framesSent: 5, bytesSent: 50, sent: { vote: { messages: 3, bytes: 30 } }, signatures }
const other = { ...work, sent: { proposal: { messages: 1, bytes: 7 } } }

it('is their sum, by who asks for signatures and by the names of messages', () => {
  expect(
    tallyOf([
      { work, syncs: 4 },
      { work: other, syncs: 5 },
    ]),
  ).toEqual({
    frames: 10,
    frameBytes: 100,
    messages: { proposal: 1, vote: 3 },
    messageBytes: { proposal: 7, vote: 30 },
    signaturesMade: 2,
    signaturesChecked: 4,
    envelopesChecked: 600,
    otherSignatures: 2 * 3030,
    syncs: 9,
  })
})

it('is a difference in which what has not changed has no name', () => {
  const [before] = [tallyOf([{ work, syncs: 4 }])]
  const after = tallyOf([
    { work, syncs: 4 },
    { work: other, syncs: 1 },
  ])
  const { frames, messages, messageBytes, signaturesChecked, syncs } = difference(after, before)
  expect({ frames, messages, messageBytes, signaturesChecked, syncs }).toEqual({
    frames: 5,
    messages: { proposal: 1 },
    messageBytes: { proposal: 7 },
    signaturesChecked: 2,
    syncs: 1,
  })
})

it('has beside what orders blocks only what there was more of', () => {
  const hotstuff = contenders.find(({ name }) => name === 'hotstuff')!
  const tally = { ...tallyOf([{ work, syncs: 4 }]), messages: { vote: 4, proposal: 4, ask: 2, newest: -2, forward: 0 } }
  const { messages, apart } = perBlock(hotstuff, tally, 2)
  expect({ messages, apart }).toEqual({ messages: 4, apart: { ask: 1 } })
})
