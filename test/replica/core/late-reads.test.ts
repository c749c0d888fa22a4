// Answers to reads that were executed of late: given as often as somebody asks, bounded in number and bytes, the oldest go first.

import { expect, it } from 'vitest'
import {
  lateAnswerOverheadBytes,
  lateReadBytesMax,
  LateReads,
  lateReadsMax,
} from '../../../src/replica/core/late-reads.ts'

const answers = (bytes: number) => [{ id: 0, answer: new Uint8Array(bytes) }]
const half = lateReadBytesMax / 2 - lateAnswerOverheadBytes

it('are given any number of times', () => {
  const late = new LateReads()
  expect(late.find('a')).toBeNull()
  expect(late.keep('a', 4, answers(2))).toMatchObject({ height: 4 })
  for (let times = 0; times < 3; times++) expect(late.find('a')).toMatchObject({ height: 4, answers: answers(2) })
})

it('stay the first ones of a name, and nothing more is worked out for it', () => {
  const late = new LateReads()
  late.keep('a', 4, answers(2))
  const others = (function* () {
    yield* [] as ReturnType<typeof answers>
    throw new Error('worked out again')
  })()
  expect(late.keep('a', 5, others)).toMatchObject({ height: 4, answers: answers(2) })
  expect(late.find('a')).toMatchObject({ height: 4 })
})

it('are no more than so many', () => {
  const late = new LateReads()
  for (let number = 0; number <= lateReadsMax; number++) late.keep(`${number}`, number, answers(1))
  expect(late.find('0')).toBeNull()
  expect(late.find('1')).not.toBeNull()
})

it('are no more than so many bytes, those of one name counted once', () => {
  const late = new LateReads()
  for (let again = 0; again < 3; again++) late.keep('a', again, answers(half))
  late.keep('b', 4, answers(half))
  expect(late.find('a')).toMatchObject({ height: 0 })
  late.keep('c', 5, answers(1))
  expect(late.find('a')).toBeNull()
  late.keep('d', 5, answers(1))
  expect(late.find('b')).not.toBeNull()
  // What went made room.
  late.keep('e', 5, answers(half - 2 * (lateAnswerOverheadBytes + 1)))
  expect(['b', 'c', 'd', 'e'].map((name) => late.find(name)?.height)).toEqual([4, 5, 5, 5])
})

it('are not kept, nor worked out to the end, where they would be too many', () => {
  const late = new LateReads()
  let made = 0
  const endless = function* (bytes: number) {
    for (;;) yield { id: made++, answer: new Uint8Array(bytes) }
  }
  expect(late.keep('a', 1, endless(lateReadBytesMax / 4))).toBeNull()
  expect(made).toBe(4)
  expect(late.find('a')).toBeNull()
  made = 0
  // Nor are any number of empty ones.
  expect(late.keep('a', 1, endless(0))).toBeNull()
  expect(made).toBe(lateReadBytesMax / lateAnswerOverheadBytes + 1)
})
