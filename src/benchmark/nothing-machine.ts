// The state machine that costs least: all that is counted or measured around it is the house's own.

import { defineStateMachine, type StateMachineDefinition } from '../execution/state-machine.ts'
import { bytesCodec } from '../execution/value-codec.ts'

const none = new Uint8Array(0)

/** `applied` is called for each operation. */
export function nothingMachine(
  applied: () => void = () => {},
): StateMachineDefinition<Uint8Array, Uint8Array, Uint8Array> {
  return defineStateMachine({
    name: 'nothing',
    version: 1,
    command: bytesCodec,
    query: bytesCodec,
    result: bytesCodec,
    create: () => ({
      apply: () => {
        applied()
        return none
      },
      query: () => none,
      snapshot: () => [],
      restore: () => {},
    }),
  })
}
