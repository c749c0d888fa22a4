// Whether a snapshot is what its network has agreed on: all chunks against the root, and the root's certificate against the network file.

import { setImmediate } from 'node:timers/promises'
import { nodeEd25519 } from '../../crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../../crypto/node/sha256-hasher.ts'
import { MerkleTree } from '../../execution/merkle.ts'
import type { Checkpoint } from '../../kernel/checkpoint.ts'
import { toHex } from '../../kernel/hex.ts'
import type { ReadNetwork } from '../../kernel/network-file.ts'
import { CertificateRules } from '../../kernel/checkpoint-rules.ts'
import { definitionOf } from '../../replica/protocols.ts'
import type { SnapshotStore, StoredSnapshot } from '../../storage/snapshots/snapshot-store.ts'
import { verifySnapshot, type SnapshotVerdict } from '../../storage/snapshots/verify-snapshot.ts'
import { Failure } from '../failure.ts'
import type { OpenedSnapshots } from './open-snapshots-at.ts'

/** Chunks read between two turns of the event loop. */
const chunksPerTurn = 16

export async function judgeChunks(store: SnapshotStore, snapshot: StoredSnapshot): Promise<SnapshotVerdict> {
  const tree = new MerkleTree(nodeHasher, 'state-node').growing()
  const verifying = verifySnapshot((entry) => store.read(entry), snapshot, tree)
  for (let step = 1; ; step++) {
    const next = verifying.next()
    if (next.done === true) return next.value
    if (step % chunksPerTurn === 0) await setImmediate()
  }
}

/** Null, or why a quorum of that network did not sign it. */
export function certificateFault(checkpoint: Checkpoint, { epoch }: ReadNetwork): string | null {
  const verifier = nodeEd25519
  const definition = definitionOf(epoch.protocol)
  const rules = new CertificateRules({
    epoch,
    hasher: nodeHasher,
    verifier,
    verifyDecision: (block, proof) => definition.verifyDecision(epoch, block, proof, { hasher: nodeHasher, verifier }),
  })
  return rules.fault(checkpoint)
}

export function requireNetwork({ path, network }: OpenedSnapshots, { epoch }: ReadNetwork): void {
  const [ours, theirs] = [toHex(epoch.network), toHex(network)]
  if (ours === theirs) return
  const message = `${path} is of network ${theirs}, and the network file is of ${ours}: name files of one network`
  throw new Failure('ERR_OTHER_NETWORK', message)
}

/** In a sentence; null if all is well. */
export function faultOf({ damaged, isOfRoot, chunks }: SnapshotVerdict): string | null {
  if (damaged > 0) return `${damaged} of ${chunks} chunks are damaged`
  return isOfRoot ? null : 'its list of chunks is not the one that was signed'
}
