// Is what a view change claims proven? A large one costs thousands of signature checks, so it is judged in slices: messages and heartbeats come
// between them. Each signature is checked once.

import { encode } from '../../wire/codec.ts'
import { latin1 } from '../../wire/latin1.ts'
import { blockDigest } from '../../kernel/block.ts'
import { checkpointCodec, type Checkpoint } from '../../kernel/checkpoint.ts'
import type { Signature } from '../../kernel/crypto-ports.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { PreparedCertificate, Statement, ViewChange } from './messages.ts'
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

/** A copy with other signatures is another checkpoint: the verdict depends on nothing but what is judged. */
function checkpointFault(state: PbftState, checkpoint: Checkpoint): string | null {
  const name = `checkpoint ${latin1(state.ports.hasher.digest(encode(checkpointCodec, checkpoint)))}`
  if (state.proven.has(name)) return null
  const fault = state.rules.fault(checkpoint)
  if (fault === null) state.proven.add(name)
  return fault
}

function certificateFault(state: PbftState, certificate: PreparedCertificate): string | null {
  const { view, header, signature, prepares } = certificate
  if (header.epoch !== state.epoch.number) return 'a block of another epoch'
  const primary = primaryOf(state, view)
  if (prepares.length !== state.membership.quorum - 1) return 'another number of prepares than a quorum needs'
  if (new Set(prepares.map(({ replica }) => replica)).size !== prepares.length) return 'one signer twice'
  if (prepares.some(({ replica }) => replica === primary)) return 'a prepare of the primary'
  const statement = { view, height: header.height, digest: blockDigest(state.ports.hasher, header) }
  const name = `${view} ${latin1(statement.digest)}`
  if (!isProven(state, 'pre-prepare', primary, { statement, name }, signature)) return 'a wrong pre-prepare'
  for (const prepare of prepares) {
    if (!isProven(state, 'prepare', prepare.replica, { statement, name }, prepare.signature)) return 'a wrong prepare'
  }
  return null
}

/** With a name that no other statement has: there are dozens of signatures to one. */
interface NamedStatement {
  readonly statement: Statement
  readonly name: string
}

/** Each signature is checked once, in however many certificates it stands; one that is forged is never taken for the real one. */
function isProven(
  state: PbftState,
  phase: 'pre-prepare' | 'prepare',
  signer: ReplicaId,
  { statement, name: statementName }: NamedStatement,
  signature: Signature,
): boolean {
  const name = `${phase} ${signer} ${statementName} ${latin1(signature)}`
  if (state.proven.has(name)) return true
  if (!isSignedPhase(state, phase, signer, statement, signature)) return false
  state.proven.add(name)
  return true
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
