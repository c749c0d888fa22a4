// Channel 3 of a frame between replicas: who has executed what, and what a quorum has signed.

import { bool, bytes, struct, u53, union, type Codec } from '../../wire/codec.ts'
import { checkpointCodec, type Checkpoint } from '../../kernel/checkpoint.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../kernel/executed-header.ts'
import type { Height } from '../../kernel/ids.ts'
import { signatureBytesMax } from './limits.ts'

export type CheckpointMessage =
  /** The sender has executed this. `repeated`: it has said so before, and still has no certificate. */
  | { kind: 'vote'; header: ExecutedHeader; signature: Uint8Array; repeated: boolean }
  | { kind: 'certificate'; checkpoint: Checkpoint }
  /** From one that has no vote: it lacks the certificate of this height, or a later one. */
  | { kind: 'ask'; height: Height }

export const checkpointMessageCodec: Codec<CheckpointMessage> = union<CheckpointMessage>({
  vote: {
    tag: 1,
    codec: struct({ header: executedHeaderCodec, signature: bytes(signatureBytesMax), repeated: bool }),
  },
  certificate: { tag: 2, codec: struct({ checkpoint: checkpointCodec }) },
  ask: { tag: 3, codec: struct({ height: u53 }) },
})
