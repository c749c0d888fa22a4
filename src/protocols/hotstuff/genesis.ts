// Where every chain of an epoch begins: a node that nobody has proposed, below the first block, certified by everybody's having the epoch.

import { digestBytes, type Hasher } from '../../kernel/crypto-ports.ts'
import type { Epoch } from '../../kernel/membership.ts'
import type { ChainedHeader, QuorumCertificate } from '../../kernel/proof.ts'
import { equalBytes } from '../../wire/equal-bytes.ts'
import { nodeDigest } from './statements.ts'

export function genesisHeader({ number, firstHeight }: Epoch): ChainedHeader {
  const zeros = new Uint8Array(digestBytes)
  const block = { epoch: number, height: firstHeight - 1, timestamp: 0, payloadDigest: zeros }
  return { block, view: 0, parent: zeros, absent: [], lately: [] }
}

export function genesisCertificate(epoch: Epoch, hasher: Hasher): QuorumCertificate {
  return { view: 0, node: nodeDigest(hasher, genesisHeader(epoch)), votes: [] }
}

export function isGenesis(genesis: QuorumCertificate, { view, node, votes }: QuorumCertificate): boolean {
  return view === 0 && votes.length === 0 && equalBytes(node, genesis.node)
}
