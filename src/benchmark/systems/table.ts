// Every system by its name. Whoever adds one adds it here: docs/benchmark-peers.md.

import { QuorateError } from '../../kernel/quorate-error.ts'
import type { System } from '../system.ts'
import { etcd } from './etcd.ts'
import { quorateSystems } from './quorate.ts'

export const systems: readonly System[] = [...quorateSystems, etcd]

export function systemNamed(name: string): System {
  const system = systems.find((one) => one.name === name)
  if (system !== undefined) return system
  const names = systems.map((one) => one.name).join(', ')
  throw new QuorateError('ERR_BENCHMARK_ROUND', `${name} is no system that can be measured: name one of ${names}`)
}
