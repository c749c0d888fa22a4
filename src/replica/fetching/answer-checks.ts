// Is an answer what was asked for? A server that hands out anything else lies, or is broken: nothing of its answer is used.

import { payloadDigest } from '../../kernel/block.ts'
import type { Hasher } from '../../kernel/crypto-ports.ts'
import type { Height } from '../../kernel/ids.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { FetchResult, ProtocolDefinition, ProtocolPorts, Wanted } from '../../kernel/protocol.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import type { DecidedBlock, FetchAnswer } from './fetching-messages.ts'

/** What can be asked for on channel 5. */
export type WantedHere = Exclude<Wanted, { kind: 'state' }>

export type JudgedAnswer =
  | { kind: 'good'; result: FetchResult }
  /** It has not got it, which is no fault. */
  | { kind: 'lacking' }
  | { kind: 'bad'; why: string }

export interface AnswerRules {
  epoch: Epoch
  definition: Pick<ProtocolDefinition<never, never>, 'verifyDecision'>
  ports: Pick<ProtocolPorts, 'hasher' | 'verifier'>
}

/** `toHeight`: of the request, which may ask for less than is wanted. */
export function judge(wanted: WantedHere, toHeight: Height, answer: FetchAnswer, rules: AnswerRules): JudgedAnswer {
  if (wanted.kind === 'payload') {
    if (answer.kind !== 'payload') return { kind: 'bad', why: 'an answer to something else' }
    const { payload } = answer
    if (payload === null) return { kind: 'lacking' }
    if (!isNamed(payload, wanted.digest, rules.ports.hasher)) return { kind: 'bad', why: 'another payload' }
    // It outlives its frame, which may be much larger.
    return { kind: 'good', result: { kind: 'payload', payload: payload.slice() } }
  }
  if (answer.kind !== 'blocks') return { kind: 'bad', why: 'an answer to something else' }
  const { blocks } = answer
  if (blocks.length === 0) return { kind: 'lacking' }
  const why = runFault(blocks, wanted.fromHeight, toHeight, rules)
  return why === null ? { kind: 'good', result: { kind: 'decided', blocks } } : { kind: 'bad', why }
}

/** Null, or what is wrong. The cheap questions come first, for all blocks. */
function runFault(blocks: readonly DecidedBlock[], fromHeight: Height, toHeight: Height, rules: AnswerRules) {
  const { epoch, definition, ports } = rules
  for (const [index, { block }] of blocks.entries()) {
    if (block.header.epoch !== epoch.number) return 'a block of another epoch'
    if (block.header.height !== fromHeight + index || block.header.height > toHeight) return 'a block of another height'
  }
  for (const { block, proof } of blocks) {
    if (!isNamed(block.payload, block.header.payloadDigest, ports.hasher)) return 'another payload'
    if (!definition.verifyDecision(epoch, block.header, proof, ports)) return 'a proof that shows nothing'
  }
  return null
}

function isNamed(payload: Uint8Array, digest: Uint8Array, hasher: Hasher): boolean {
  return equalBytes(payloadDigest(hasher, payload), digest)
}
