// What was verified ahead is known when it is asked for, and is what verifying it within the call says; nothing outlives its end.

import { describe, expect, it } from 'vitest'
import { nodeEd25519, verifyOnThread } from '../../src/crypto/node/ed25519-suite.ts'
import { ThreadVerifier, threadsMax, waitingVerificationsMax } from '../../src/crypto/node/thread-verifier.ts'

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
const ask = (verifier: ThreadVerifier, { publicKey, message: text, signature }: Question): boolean =>
  verifier.verify(publicKey, text, signature)
const ahead = (verifier: ThreadVerifier, questions: readonly Question[]): Promise<void> =>
  new Promise((resolve) => verifier.ahead(questions, resolve))

describe('a verdict', () => {
  it('is known when it is asked for, once, and is the right one', async () => {
    const verifier = new ThreadVerifier()
    const questions = [question(1), forged(2), refused, question(4)]
    await ahead(verifier, questions)
    expect(questions.map((one) => ask(verifier, one))).toEqual([true, false, false, true])
    expect([verifier.known, verifier.verifiedInCall]).toEqual([4, 0])
    expect(ask(verifier, question(1))).toBe(true)
    expect(verifier.verifiedInCall).toBe(1)
  })

  it('is for one key, message and signature, and for nothing that bears the same signature', async () => {
    const verifier = new ThreadVerifier()
    await ahead(verifier, [question(1)])
    expect(ask(verifier, { ...question(1), message: message(2) })).toBe(false)
    await ahead(verifier, [question(1)])
    expect(ask(verifier, { ...question(1), publicKey: nodeEd25519.signer(new Uint8Array(32).fill(2)).publicKey })).toBe(
      false,
    )
    expect([verifier.known, verifier.verifiedInCall]).toEqual([0, 2])
  })

  it('that no thread could give is found within the call', async () => {
    const verifier = new ThreadVerifier({ onThread: (_key, _message, _signature, done) => done(null) })
    await ahead(verifier, [question(1), forged(2)])
    expect([ask(verifier, question(1)), ask(verifier, forged(2)), verifier.verifiedInCall]).toEqual([true, false, 2])
  })

  it('that nobody asks for is forgotten when there are too many', async () => {
    const verifier = new ThreadVerifier({ verdictsMax: 2 })
    await ahead(verifier, [question(1), question(2), question(3)])
    for (const number of [3, 2, 1]) ask(verifier, question(number))
    expect([verifier.known, verifier.verifiedInCall]).toEqual([2, 1])
  })
})

describe('the threads', () => {
  it('are few, in the order of asking; beyond a limit nothing waits for them', async () => {
    const answers: ((isValid: boolean) => void)[] = []
    const verifier = new ThreadVerifier({ onThread: (_key, _message, _signature, done) => void answers.push(done) })
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
    const verifier = new ThreadVerifier()
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
    const verifier = new ThreadVerifier({
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
