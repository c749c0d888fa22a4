// What a replica that lies can make on the bench: whatever it likes, signed with its own secret, out of what others have signed.

import { encode } from '../../../src/wire/codec.ts'
import { blockDigest, payloadDigest, type BlockHeader } from '../../../src/kernel/block.ts'
import type { Digest } from '../../../src/kernel/crypto-ports.ts'
import { hashingBytes, signingBytes, type SigningDomain } from '../../../src/kernel/domains.ts'
import type { SignatureSet } from '../../../src/kernel/proof.ts'
import { replicaId, type Height, type View } from '../../../src/kernel/ids.ts'
import {
  newViewBodyCodec,
  statementCodec,
  viewChangeBodyCodec,
  wishBodyCodec,
  type Commit,
  type NewView,
  type PrePrepare,
  type PreparedCertificate,
  type Prepare,
  type Statement,
  type ViewChange,
  type Wish,
} from '../../../src/protocols/pbft/messages.ts'
import { simulatedHasher } from '../../../src/simulator/simulated-suite.ts'
import { payloadOf } from '../raft/test-pool.ts'
import { wallStartMs, type Bench } from './bench.ts'

export const domains = { 'pre-prepare': 'pbft-pre-prepare', prepare: 'pbft-prepare', commit: 'pbft-commit' } as const

export interface Forged {
  header: BlockHeader
  payload: Uint8Array
  digest: Digest
}

export function block(bench: Bench, height: Height, ...texts: string[]): Forged {
  const payload = payloadOf(...texts)
  const timestamp = wallStartMs + bench.nowMs
  const header = { epoch: 1, height, timestamp, payloadDigest: payloadDigest(simulatedHasher, payload) }
  return { header, payload, digest: blockDigest(simulatedHasher, header) }
}

export function nullBlock(height: Height): Forged {
  const payload = payloadOf()
  const header = { epoch: 1, height, timestamp: 0, payloadDigest: payloadDigest(simulatedHasher, payload) }
  return { header, payload, digest: blockDigest(simulatedHasher, header) }
}

export function sign(bench: Bench, signer: number, domain: SigningDomain, body: Uint8Array): Uint8Array {
  const scope = { network: bench.epoch.network, epoch: 1, protocol: 'pbft' } as const
  return bench.signerOf(replicaId(signer)).sign(signingBytes(domain, scope, body))
}

export function signPhase(
  bench: Bench,
  signer: number,
  phase: keyof typeof domains,
  { view, height, digest }: Statement,
): Uint8Array {
  return sign(bench, signer, domains[phase], encode(statementCodec, { view, height, digest }))
}

export function prePrepare(bench: Bench, signer: number, view: View, { header, payload, digest }: Forged): PrePrepare {
  const signature = signPhase(bench, signer, 'pre-prepare', { view, height: header.height, digest })
  return { kind: 'pre-prepare', view, header, payload, signature }
}

export function vote(
  bench: Bench,
  signer: number,
  kind: 'prepare' | 'commit',
  view: View,
  { header, digest }: Forged,
): Prepare | Commit {
  const statement = { view, height: header.height, digest }
  return { kind, ...statement, signature: signPhase(bench, signer, kind, statement) }
}

export function votes(
  bench: Bench,
  signers: readonly number[],
  phase: keyof typeof domains,
  view: View,
  { header, digest }: Forged,
): SignatureSet {
  return signers.map((signer) => ({
    replica: replicaId(signer),
    signature: signPhase(bench, signer, phase, { view, height: header.height, digest }),
  }))
}

export function certificate(
  bench: Bench,
  view: View,
  forged: Forged,
  primary: number,
  backups: readonly number[],
): PreparedCertificate {
  const { header, digest } = forged
  return {
    view,
    header,
    signature: signPhase(bench, primary, 'pre-prepare', { view, height: header.height, digest }),
    prepares: votes(bench, backups, 'prepare', view, forged),
  }
}

export function viewChange(bench: Bench, sender: number, view: View, rest: Partial<ViewChange> = {}): ViewChange {
  const body = { view, sender: replicaId(sender), checkpoint: null, prepared: [], ...rest }
  return {
    kind: 'view-change',
    ...body,
    signature: sign(bench, sender, 'pbft-view-change', encode(viewChangeBodyCodec, body)),
  }
}

export function viewChangeDigest(message: ViewChange): Digest {
  return simulatedHasher.digest(hashingBytes('pbft-view-change-digest', encode(viewChangeBodyCodec, message)))
}

/** `proposed`: for the heights above the base, in order. */
export function newView(
  bench: Bench,
  primary: number,
  view: View,
  cited: readonly ViewChange[],
  proposed: readonly Forged[] = [],
): NewView {
  const body = {
    view,
    cited: [...cited]
      .sort((left, right) => left.sender - right.sender)
      .map((one) => ({ sender: one.sender, digest: viewChangeDigest(one) })),
    prePrepares: proposed.map(({ header, digest }) =>
      signPhase(bench, primary, 'pre-prepare', { view, height: header.height, digest }),
    ),
  }
  return { kind: 'new-view', ...body, signature: sign(bench, primary, 'pbft-new-view', encode(newViewBodyCodec, body)) }
}

export function wish(bench: Bench, signer: number, view: View): Wish {
  return { kind: 'wish', view, signature: sign(bench, signer, 'wish', encode(wishBodyCodec, { view })) }
}

export function digestOf(header: BlockHeader): Digest {
  return blockDigest(simulatedHasher, header)
}

/** Of which only the header is of interest. */
export function ofHeader(header: BlockHeader): Forged {
  return { header, payload: payloadOf(), digest: digestOf(header) }
}

/** The same claim with other signatures below it. */
export function withPrepares(claim: PreparedCertificate, prepares: SignatureSet): PreparedCertificate {
  const { view, header, signature } = claim
  return { view, header, signature, prepares }
}

/** Nobody has made them. */
export function wrong(signatures: SignatureSet): SignatureSet {
  return signatures.map(({ replica }) => ({ replica, signature: new Uint8Array(64) }))
}
