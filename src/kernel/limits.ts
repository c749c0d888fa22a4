// The bounds that every replica of every network keeps. docs/limits.md lists them with their tests.

/** Replicas in one epoch, learners included. */
export const membersMax = 128
/** One operation, as its state machine reads it. */
export const operationBytesMax = 1024 * 1024
/** One result, as its state machine writes it. */
export const resultBytesMax = 1024 * 1024
/** Operations in one envelope. */
export const envelopeOperationsMax = 1024
/** One envelope, encoded. */
export const envelopeBytesMax = 2 * 1024 * 1024
/** What is handed on once more to one replica, because it has waited for long: at least one envelope. A network that has too much to do must not get all of it again. */
export const forwardedAgainBytesMax: number = envelopeBytesMax
/** Envelopes in one block. */
export const blockEnvelopesMax = 16_384
/** The payload of one block, encoded. */
export const payloadBytesMax = 4 * 1024 * 1024
/** Names of members and networks. */
export const nameBytesMax = 64
