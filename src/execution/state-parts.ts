// What a state is made of, for hashing and for transfer: chunks of five parts, in this order.

import type { RestoredChunk, StateChunk } from './state-chunks.ts'

/** Everything that is transferred lies in one of these. Their order and numbers are part of the format. */
export const stateParts = ['executor', 'permissions', 'clients', 'sessions', 'application'] as const
export type StatePart = (typeof stateParts)[number]

export interface PartChunk extends StateChunk {
  readonly part: StatePart
}

/** A chunk of a snapshot on its way into an executor. */
export interface RestoredPartChunk extends RestoredChunk {
  readonly part: StatePart
}
