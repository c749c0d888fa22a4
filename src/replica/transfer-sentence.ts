// A state on its way from others, as an operator reads it.

import type { TransferStatus } from './checkpoints/transfer-status.ts'

const mebibyte = 1024 * 1024

/** Follows the replica's name: `replica 3 fetches …`. */
export function transferSentence(transfer: TransferStatus): string {
  const { height, minimumHeight, chunks, chunksLeft, bytes, why, servers } = transfer
  const what = height === null ? `a state of height ${minimumHeight} or more` : `the state of height ${height}`
  if (why !== null) return `waits to fetch ${what} again: ${why}`
  if (chunks === null || chunksLeft === null) return `fetches ${what}`
  const size = bytes === null ? '' : ` of ${(bytes / mebibyte).toFixed(1)} MiB in all`
  const from = servers.filter((server) => server.bytes > 0).map((server) => server.replica)
  const whom = from.length === 0 ? '' : `, from ${from.join(' and ')}`
  return `fetches ${what}: ${chunks - chunksLeft} of ${chunks} chunks${size}${whom}`
}
