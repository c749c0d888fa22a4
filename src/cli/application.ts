// The state machine that replicas run: the built-in store, or the one that a module exports.

import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import type { StateMachineDefinition } from '../execution/state-machine.ts'
import { keyValueStore } from '../execution/store/key-value-store.ts'
import { Failure } from './failure.ts'

export type AnyStateMachine = StateMachineDefinition<unknown, unknown, unknown>

export const applicationOption = {
  name: 'app',
  value: 'MODULE',
  description: 'a module that exports stateMachine',
  default: 'the built-in key-value store',
} as const

export async function loadApplication(path: string): Promise<AnyStateMachine> {
  if (path === '') return keyValueStore as unknown as AnyStateMachine
  let module: { stateMachine?: unknown }
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as { stateMachine?: unknown }
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new Failure('ERR_APPLICATION', `${path} cannot be loaded (${reason}): name a JavaScript module`)
  }
  if (isStateMachine(module.stateMachine)) return module.stateMachine
  throw new Failure('ERR_APPLICATION', `${path} exports no stateMachine: export what defineStateMachine returns`)
}

function isStateMachine(value: unknown): value is AnyStateMachine {
  if (typeof value !== 'object' || value === null) return false
  return ['command', 'query', 'result', 'create', 'validate'].every((name) => name in value)
}
