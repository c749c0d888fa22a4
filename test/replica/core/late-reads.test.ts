// Answers that wait for their question: bounded in number and bytes, the oldest go first, each is given once.

import { expect, it } from 'vitest'
import { LateReads, lateReadBytesMax, lateReadsMax } from '../../../src/replica/core/late-reads.ts'

const answers = (bytes: number) => [{ id: 0, answer: new Uint8Array(bytes) }]

it('are given once', () => {
  const late = new LateReads()
  late.keep('a', 4, answers(2))
  expect(late.take('a')).toMatchObject({ height: 4, answers: answers(2) })
  expect(late.take('a')).toBeNull()
})

it('are no more than so many', () => {
  const late = new LateReads()
  for (let number = 0; number <= lateReadsMax; number++) late.keep(`${number}`, number, answers(1))
  expect(late.take('0')).toBeNull()
  expect(late.take('1')).not.toBeNull()
})

it('are no more than so many bytes, those of one name counted once', () => {
  const late = new LateReads()
  for (let again = 0; again < 3; again++) late.keep('a', again, answers(lateReadBytesMax / 2))
  late.keep('b', 4, answers(lateReadBytesMax / 2))
  expect(late.take('a')).toMatchObject({ height: 2 })
  late.keep('a', 5, answers(lateReadBytesMax / 2))
  late.keep('c', 5, answers(1))
  expect(late.take('b')).toBeNull()
  expect(late.take('a')).not.toBeNull()
})

it('are not worked out to the end where they would be too many', () => {
  const late = new LateReads()
  let made = 0
  const endless = function* () {
    for (;;) yield { id: made++, answer: new Uint8Array(lateReadBytesMax / 4) }
  }
  late.keep('a', 1, endless())
  expect(made).toBe(5)
  expect(late.take('a')).toBeNull()
})
