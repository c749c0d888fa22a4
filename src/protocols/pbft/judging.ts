// Is what a view change claims proven? A large one costs thousands of signature checks, so it is judged in slices: messages and heartbeats come
// between them. Each distinct certificate, by view, sequence number and digest, is checked once.

import { encode } from '../../wire/codec.ts'
import { blockDigest } from '../../kernel/block.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import { executedHeaderCodec } from '../../kernel/executed-header.ts'
import { toHex } from '../../kernel/hex.ts'
import type { PreparedCertificate, ViewChange } from './messages.ts'
import { primaryOf, timer, type Judgement, type PbftState, type Step } from './state.ts'
import { isSignedPhase } from './statements.ts'

/** Certificates that are judged in one step. */
export const certificatesPerSlice = 8

/** Yields after each certificate; returns null, or what is wrong. */
export function* judgeViewChange(state: PbftState, viewChange: ViewChange): Generator<void, string | null> {
  const { view, checkpoint, prepared } = viewChange
  const base = checkpoint?.header.height ?? state.originHeight
  if (checkpoint !== null) {
    const fault = checkpointFault(state, checkpoint)
    yield
    if (fault !== null) return `a checkpoint with ${fault}`
  }
  for (const certificate of prepared) {
    const { height } = certificate.header
    if (height <= base || height > base + state.parameters.pbft.windowBlocks)
      return 'a certificate outside of its window'
    if (certificate.view >= view) return 'a certificate of a view that it has not left'
    const fault = certificateFault(state, certificate)
    yield
    if (fault !== null) return `a certificate with ${fault}`
  }
  return null
}

/** Whoever certifies a header certifies what lies below it: one proof of it is as good as another. */
function checkpointFault(state: PbftState, checkpoint: Checkpoint): string | null {
  const name = `checkpoint ${toHex(state.ports.hasher.digest(encode(executedHeaderCodec, checkpoint.header)))}`
  if (state.proven.has(name)) return null
  const fault = state.rules.fault(checkpoint)
  if (fault === null) state.proven.add(name)
  return fault
}

function certificateFault(state: PbftState, certificate: PreparedCertificate): string | null {
  const { view, header, signature, prepares } = certificate
  if (header.epoch !== state.epoch.number) return 'a block of another epoch'
  const digest = blockDigest(state.ports.hasher, header)
  const name = `${view} ${toHex(digest)}`
  if (state.proven.has(name)) return null
  const primary = primaryOf(state, view)
  if (prepares.length !== state.membership.quorum - 1) return 'another number of prepares than a quorum needs'
  if (new Set(prepares.map(({ replica }) => replica)).size !== prepares.length) return 'one signer twice'
  if (prepares.some(({ replica }) => replica === primary)) return 'a prepare of the primary'
  const statement = { view, height: header.height, digest }
  if (!isSignedPhase(state, 'pre-prepare', primary, statement, signature)) return 'a wrong pre-prepare'
  for (const prepare of prepares) {
    if (!isSignedPhase(state, 'prepare', prepare.replica, statement, prepare.signature)) return 'a wrong prepare'
  }
  state.proven.add(name)
  return null
}

/** Goes on until it is done, a slice a step. Another one takes its place. */
export function beginJudgement(step: Step, judgement: Judgement): void {
  step.state.judgement = judgement
  continueJudgement(step)
}

export function continueJudgement(step: Step): void {
  const { state, effects } = step
  const { judgement } = state
  if (judgement === null) return
  for (let slice = 0; slice < certificatesPerSlice; slice++) {
    const next = judgement.work.next()
    if (next.done !== true) continue
    state.judgement = null
    return next.value(step)
  }
  effects.arm(timer.judge, 0)
}
