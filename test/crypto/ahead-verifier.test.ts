// What was verified ahead is known when it is asked for, and is what verifying it within the call says; nothing outlives its end.

import { describe, expect, it } from 'vitest'
import { nodeEd25519, verifyOnThread } from '../../src/crypto/node/ed25519-suite.ts'
import {
  AheadVerifier,
  threadsMax,
  verifiedInTurnMax,
  waitingVerificationsMax,
} from '../../src/crypto/node/ahead-verifier.ts'

const signer = nodeEd25519.signer(new Uint8Array(32).fill(1))
const message = (number: number): Uint8Array => Uint8Array.of(number >> 8, number & 0xff)
const question = (number: number) => ({
  publicKey: signer.publicKey,
  message: message(number),
  signature: signer.sign(message(number)),
})
const forged = (number: number) => ({ ...question(number), message: message(number + 1) })
const refused = { ...question(1), signature: new Uint8Array(64).fill(0xff) }
type Question = ReturnType<typeof question>
const ask = (verifier: AheadVerifier, { publicKey, message: text, signature }: Question): boolean =>
  verifier.verify(publicKey, text, signature)
const ahead = (verifier: AheadVerifier, questions: readonly Question[]): Promise<void> =>
  new Promise((resolve) => verifier.ahead(questions, resolve))

describe('a verdict', () => {
  it('is known when it is asked for, once, and is the right one', async () => {
    const verifier = new AheadVerifier()
    const questions = [question(1), forged(2), refused, question(4)]
    await ahead(verifier, questions)
    expect(questions.map((one) => ask(verifier, one))).toEqual([true, false, false, true])
    expect([verifier.known, verifier.verifiedInCall]).toEqual([4, 0])
    expect(ask(verifier, question(1))).toBe(true)
    expect(verifier.verifiedInCall).toBe(1)
  })

  it('is for one key, message and signature, and for nothing that bears the same signature', async () => {
    const verifier = new AheadVerifier()
    await ahead(verifier, [question(1)])
    expect(ask(verifier, { ...question(1), message: message(2) })).toBe(false)
    await ahead(verifier, [question(1)])
    expect(ask(verifier, { ...question(1), publicKey: nodeEd25519.signer(new Uint8Array(32).fill(2)).publicKey })).toBe(
      false,
    )
    expect([verifier.known, verifier.verifiedInCall]).toEqual([0, 2])
  })

  it('that no thread could give is found within the call', async () => {
    const verifier = new AheadVerifier({ onThread: (_key, _message, _signature, done) => done(null) })
    await ahead(verifier, [question(1), forged(2)])
    expect([ask(verifier, question(1)), ask(verifier, forged(2)), verifier.verifiedInCall]).toEqual([true, false, 2])
  })

  it('that nobody asks for is forgotten when there are too many', async () => {
    const verifier = new AheadVerifier({ verdictsMax: 2 })
    await ahead(verifier, [question(1), question(2), question(3)])
    for (const number of [3, 2, 1]) ask(verifier, question(number))
    expect([verifier.known, verifier.verifiedInCall]).toEqual([2, 1])
  })
})

describe('the threads', () => {
  it('are few, in the order of asking; beyond a limit nothing waits for them', async () => {
    const answers: ((isValid: boolean) => void)[] = []
    const verifier = new AheadVerifier({ onThread: (_key, _message, _signature, done) => void answers.push(done) })
    let done = 0
    verifier.ahead(
      Array.from({ length: waitingVerificationsMax }, () => refused),
      () => done++,
    )
    expect([answers.length, verifier.waiting]).toEqual([threadsMax, waitingVerificationsMax - threadsMax])
    verifier.ahead([refused, refused, refused], () => done++)
    expect(verifier.waiting).toBe(waitingVerificationsMax)
    for (let index = 0; index < waitingVerificationsMax + threadsMax; index++) answers[index]!(true)
    expect([answers.length, verifier.waiting, done]).toEqual([waitingVerificationsMax + threadsMax, 0, 0])
    await new Promise((resolve) => setImmediate(resolve))
    expect(done).toBe(2)
  })

  it('have nothing to do for what is refused without them, and say so in a later turn', async () => {
    const verifier = new AheadVerifier()
    let done = false
    verifier.ahead(
      Array.from({ length: 20_000 }, () => refused),
      () => (done = true),
    )
    verifier.ahead([], () => {})
    expect(done).toBe(false)
    await new Promise((resolve) => setImmediate(resolve))
    expect(done).toBe(true)
  })

  it('answer nobody after the end', async () => {
    const answers: (() => void)[] = []
    const verifier = new AheadVerifier({
      onThread: (key, text, signature, done) =>
        verifyOnThread(key, text, signature, (isValid) => answers.push(() => done(isValid))),
    })
    let done = false
    verifier.ahead([question(1), question(2), question(3)], () => (done = true))
    while (answers.length < threadsMax) await new Promise((resolve) => setImmediate(resolve))
    verifier.close()
    for (const answer of answers) answer()
    await new Promise((resolve) => setImmediate(resolve))
    expect([done, answers.length, verifier.waiting]).toEqual([false, threadsMax, 0])
    ask(verifier, question(1))
    expect(verifier.verifiedInCall).toBe(1)
  })
})

describe('where threads do not pay', () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const never: typeof verifyOnThread = () => expect.unreachable('no thread is asked')
  const crowded = (): AheadVerifier => new AheadVerifier({ onThread: never, threadsPay: () => false })

  it('verdicts are found in the loop, in a later turn, and are the right ones', async () => {
    const verifier = crowded()
    const questions = [question(1), forged(2), refused, question(4)]
    let done = false
    verifier.ahead(questions, () => (done = true))
    expect([done, verifier.waiting]).toEqual([false, 4])
    await turn()
    expect(verifier.waiting).toBe(0)
    await turn()
    expect(done).toBe(true)
    expect(questions.map((one) => ask(verifier, one))).toEqual([true, false, false, true])
    expect([verifier.known, verifier.verifiedInCall]).toEqual([4, 0])
  })

  it('a turn has its limit, and no question waits for another end', async () => {
    const verifier = crowded()
    const done: number[] = []
    const many = Array.from({ length: verifiedInTurnMax }, () => refused)
    for (const one of [1, 2, 3]) verifier.ahead(many, () => void done.push(one))
    const afterEachTurn: [number, number][] = []
    for (let count = 0; count < 4; count++) {
      await turn()
      afterEachTurn.push([done.length, verifier.waiting])
    }
    // Whoever asked is told in the turn after.
    expect(afterEachTurn).toEqual([
      [0, 2 * verifiedInTurnMax],
      [1, verifiedInTurnMax],
      [2, 0],
      [3, 0],
    ])
    expect(done).toEqual([1, 2, 3])
  })

  it('what is first is answered before all that waits, and has room of its own', async () => {
    const verifier = crowded()
    const said: string[] = []
    verifier.ahead(
      Array.from({ length: waitingVerificationsMax + 1 }, () => refused),
      () => said.push('later'),
    )
    verifier.ahead([question(1), forged(2)], () => said.push('first'), 'first')
    expect(verifier.waiting).toBe(waitingVerificationsMax + 2)
    await turn()
    await turn()
    expect(said).toEqual(['first'])
    expect([ask(verifier, question(1)), ask(verifier, forged(2)), verifier.known]).toEqual([true, false, 2])
    verifier.close()
  })

  it('beyond a limit nothing waits; after the end nobody is answered', async () => {
    const verifier = crowded()
    let done = 0
    verifier.ahead(
      Array.from({ length: waitingVerificationsMax + 3 }, () => refused),
      () => done++,
    )
    expect(verifier.waiting).toBe(waitingVerificationsMax)
    verifier.close()
    await turn()
    await turn()
    expect([done, verifier.waiting]).toEqual([0, 0])
  })

  it('nothing is begun after the end', async () => {
    const verifier = crowded()
    verifier.close()
    verifier.ahead([question(1)], () => expect.unreachable('it is closed'))
    expect(verifier.waiting).toBe(0)
    await turn()
  })

  it('what cannot be tried ends nothing, and is left to whoever asks', async () => {
    const verifier = crowded()
    const broken = { ...question(1), message: null as unknown as Uint8Array }
    await ahead(verifier, [broken, question(2)])
    expect(() => ask(verifier, broken)).toThrow()
    expect([ask(verifier, question(2)), verifier.known]).toEqual([true, 1])
  })

  it('what waits goes to threads as soon as they pay again', async () => {
    let areSpare = false
    const asked: ((isValid: boolean) => void)[] = []
    const onThread: typeof verifyOnThread = (_key, _message, _signature, done) => void asked.push(done)
    const verifier = new AheadVerifier({ onThread, threadsPay: () => areSpare })
    let done = false
    verifier.ahead(
      Array.from({ length: verifiedInTurnMax + 1 }, () => question(1)),
      () => (done = true),
    )
    areSpare = true
    await turn()
    expect([asked.length, done]).toEqual([1, false])
    asked[0]!(true)
    await turn()
    expect(done).toBe(true)
  })
})
