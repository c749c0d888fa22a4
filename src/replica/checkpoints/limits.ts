// Every bound of checkpoints and state transfer, each with its test. docs/limits.md lists them.

import { snapshotChunkBytesMax } from '../../kernel/manifest.ts'

/**
 * Heights of one sender whose votes are kept: the highest ones. Members of a quorum that execute at different speeds certify as long as they are
 * no further apart.
 */
export const voteHeightsMax = 32
/** Certificates kept: as many as there are snapshots. */
export const certifiedMax = 2
/** After so many wrong signatures or certificates of one sender none of its messages is looked at before the next checkpoint. */
export const invalidMax = 8
/** Greatest pause before one's own vote goes out again; the least is `timers.retransmitMs`. */
export const repeatMsMax = 10_000
export const signatureBytesMax = 4096
/** A message of channel 3: the largest is a certificate with the longest decision proof. */
export const checkpointMessageBytesMax: number = 4 * 1024 * 1024

/** One message of state transfer: a chunk with its name, and a little. */
export const answerBytesMax: number = snapshotChunkBytesMax + 4096
/** A request: whatever is larger was not made by our code. */
export const requestBytesMax = 2048
/** Chunks of one request, and of all that one server was asked and has not answered. */
export const chunksAskedMax = 32
/** Bytes asked of one server and not answered; one chunk, however large, may always be asked. */
export const windowBytesMax: number = 1024 * 1024
export const windowBytesMin: number = 64 * 1024
/** Of all servers together. */
export const allChunksAskedMax = 256
export const allBytesAskedMax: number = 16 * 1024 * 1024
/** Entries and bytes of one page of a manifest. */
export const pageEntriesMax = 1024
export const pageBytesMax: number = 1024 * 1024
/** Servers asked at once for their newest checkpoint. */
export const newestAskedMax = 4
/** Once one server has offered what is wanted, the others have so long to offer a newer one. */
export const newestGraceMs = 250
/** Timeouts in a row that put a server to the end of the list. */
export const timeoutsMax = 3
/** Chunks that one server says it lacks; with more it is as good as without the snapshot. */
export const lackingMax = 256
/** Requests that timed out whose answer is still taken, of one server. */
export const lateRequestsMax = 4
/** Without an answer, or without the next chunk of one, for so long a request has timed out. */
export const requestMsInitial = 2000
export const requestMsMin = 500
export const requestMsMax = 15_000
/** A server's whole manifest: so long, and so long for each page. Doubles each time that all servers have failed. */
export const manifestMs = 10_000
export const manifestPageMs = 250
/** Of one server in one round: again where the answer to the last was late. */
export const manifestAsksMax = 3
/** Pause before all servers are tried anew. */
export const backoffMsMin = 250
export const backoffMsMax = 30_000
/** Bytes of chunks that a transfer reads back in one call, to see that they are what the manifest says. */
export const checkedBytesAtOnce: number = 8 * 1024 * 1024
export const checkedEntriesAtOnce = 4096

/** Chunks and other requests of one member that wait to be answered; what comes beyond is dropped. */
export const waitingChunksMax = 64
export const waitingRequestsMax = 4
/** What an answer costs at least, so that small ones are not free. */
export const answerCostMin = 4096
/** Handed out in one call: the rest waits for the next turn. */
export const servedBytesAtOnce: number = 1024 * 1024
export const servedAnswersAtOnce = 32
export const transferBytesPerSecond: number = 32 * 1024 * 1024
/** What operators may ask for: with less, the smallest states take minutes; more no link gives. */
export const transferBytesPerSecondMin: number = 64 * 1024
export const transferBytesPerSecondMax: number = 1024 * 1024 * 1024
/** The table of a server's chunks leaves memory when nobody has asked for so long. */
export const indexIdleMs = 60_000
