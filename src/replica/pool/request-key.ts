// The name under which the pool knows an envelope: equal for copies of one envelope, different for all others of honest clients.

import type { Envelope } from '../../kernel/envelope.ts'
import { latin1 } from '../../wire/latin1.ts'

/**
 * The client's key is part of the name, so that nobody can occupy the name of somebody else's envelope. The operations are not:
 * one client that gives two contents one name hurts only itself.
 */
export function requestKey(envelope: Envelope, client: string = clientName(envelope.client)): string {
  switch (envelope.kind) {
    case 'open':
      return `${client}o${latin1(envelope.nonce)}`
    case 'operations':
      return `${client}s${envelope.session.height}.${envelope.session.index}.${envelope.firstNumber}.${envelope.operations.length}`
    case 'cancel':
      return `${client}c${envelope.session.height}.${envelope.session.index}.${envelope.firstNumber}.${envelope.count}`
    case 'read':
      return `${client}r${latin1(envelope.nonce)}`
    case 'close':
      return `${client}x${envelope.session.height}.${envelope.session.index}`
  }
}

/** A client's key as a map key. */
export function clientName(client: Uint8Array): string {
  return latin1(client)
}
