/**
 * An application author's machine in the simulated world. It is its own model: when the run is over, a fresh machine executes all
 * decided blocks, and says at each position what clients must have been told there.
 */

import { outcomeCodec } from '../kernel/outcome.ts'
import type { Random } from '../kernel/random.ts'
import { simulatedHasher } from '../simulator/simulated-suite.ts'
import { Executor } from '../execution/executor.ts'
import { slicesDefault } from '../execution/root-in-progress.ts'
import type { StateMachineDefinition } from '../execution/state-machine.ts'
import type { FinishedRun, Judgement, SimulatedApplication } from '../simulator/application.ts'
import type { Operation } from '../simulator/checkers/history.ts'
import type { Model } from '../simulator/checkers/model.ts'
import { checkReplay } from '../simulator/checkers/replay-checker.ts'
import { decode } from '../wire/codec.ts'
import { readable } from './comparison.ts'
import { textOf } from './finding.ts'
import { equalBytes } from '../wire/equal-bytes.ts'

export interface MachineOperation {
  readonly kind: 'command' | 'query'
  readonly bytes: Uint8Array
  readonly text: string
}

type Told = Operation<MachineOperation, Uint8Array>

/** Commands that `validate` refuses never reach a block: another is drawn. */
const drawsMax = 100

/** Of the order alone: what comes of an operation is for the machine itself to say. */
const orderModel: Model<null, MachineOperation, Uint8Array> = {
  initial: () => null,
  step: () => ({ state: null, result: new Uint8Array(0) }),
  equalResults: () => true,
  fingerprint: () => null,
  keyOf: () => '',
  isRead: ({ kind }) => kind === 'query',
  leavesState: ({ kind }) => kind === 'query',
  describe: ({ kind, text }) => `${kind} ${text}`,
  describeResult: readable,
}

export function machineApplication<Command, Query, Result>(
  definition: StateMachineDefinition<Command, Query, Result>,
  commands: (random: Random) => Command,
  queries: ((random: Random) => Query) | null,
): SimulatedApplication<MachineOperation, Uint8Array> {
  const createExecutor: SimulatedApplication<MachineOperation, Uint8Array>['createExecutor'] = (
    epoch,
    hasher,
    slices = slicesDefault,
  ) => {
    const { sessions, checkpoints } = epoch.parameters
    return new Executor({ machine: definition, hasher, epoch: epoch.number, sessions, checkpoints, slices })
  }
  const drawCommand = (random: Random): MachineOperation => {
    for (let draw = 0; draw < drawsMax; draw++) {
      const command = commands(random)
      const bytes = definition.command.encode(command).slice()
      if (definition.validate(bytes) === null) return { kind: 'command', bytes, text: textOf(command) }
    }
    throw new RangeError(`option commands gave ${drawsMax} commands in a row that validate refuses`)
  }
  const drawQuery = (random: Random, draw: (random: Random) => Query): MachineOperation => {
    const query = draw(random)
    return { kind: 'query', bytes: definition.query.encode(query).slice(), text: textOf(query) }
  }
  return {
    createExecutor,
    createLoad: () => (random) =>
      queries !== null && random.chance(1, 3) ? drawQuery(random, queries) : drawCommand(random),
    language: {
      writeCommand: ({ kind, bytes }) => (kind === 'command' ? bytes : null),
      writeQuery: ({ kind, bytes }) => (kind === 'query' ? bytes : null),
      readResult: (bytes) => bytes.slice(),
      kindOf: ({ kind }) => kind,
      failures: ['ERR_OPERATION_FAILED', 'ERR_INVALID_QUERY'],
    },
    judge: (run) => judge(run, createExecutor(run.epoch, simulatedHasher)),
  }
}

function judge(run: FinishedRun<MachineOperation, Uint8Array>, machine: Executor): Judgement {
  const { history, decided, heightDecided } = run
  const [first] = checkReplay({ model: orderModel, history, decided, heightDecided }).violations
  if (first !== undefined) return { kind: 'violated', invariant: first.invariant, explanation: first.explanation }
  const explanation = replay(run, machine)
  return explanation === null ? { kind: 'passed' } : { kind: 'violated', invariant: 'replayed-result', explanation }
}

/** Null, or what a client was told that the decided order does not explain. */
function replay(
  { history, blocks, heightDecided }: FinishedRun<MachineOperation, Uint8Array>,
  machine: Executor,
): string | null {
  const toldAt = toldByHeight(history.operations)
  for (let height = 0; height <= heightDecided; height++) {
    const results = height === 0 ? new Map<number, Uint8Array>() : resultsOf(machine, blocks.get(height)!)
    for (const operation of toldAt.get(height) ?? []) {
      const { outcome } = operation
      if (outcome.kind !== 'ok') continue
      const expected =
        outcome.position?.kind === 'ordered'
          ? results.get(outcome.position.index)
          : resultIn(machine.query(operation.operation.bytes))
      if (expected != null && equalBytes(expected, outcome.result)) continue
      const { kind, text } = operation.operation
      const replayed = expected == null ? 'nothing' : readable(expected)
      return `client ${operation.client} was told ${readable(outcome.result)} for the ${kind} ${text} at height ${height}, where replay of the decided blocks gives ${replayed}`
    }
  }
  return null
}

function toldByHeight(operations: readonly Told[]): Map<number, Told[]> {
  const byHeight = new Map<number, Told[]>()
  for (const operation of operations) {
    if (operation.outcome.kind !== 'ok' || operation.outcome.position === undefined) continue
    const { height } = operation.outcome.position
    const others = byHeight.get(height)
    if (others === undefined) byHeight.set(height, [operation])
    else others.push(operation)
  }
  return byHeight
}

function resultsOf(machine: Executor, block: Parameters<Executor['execute']>[0]): Map<number, Uint8Array> {
  const results = new Map<number, Uint8Array>()
  for (const reply of machine.execute(block).replies) {
    if (reply.kind !== 'operation' || !reply.fresh) continue
    const result = resultIn(reply.outcome)
    if (result !== null) results.set(reply.index, result)
  }
  // Nobody asks for the roots, but the next checkpoint waits for the one before.
  while (machine.work());
  machine.takeHeaders()
  return results
}

function resultIn(bytes: Uint8Array): Uint8Array | null {
  const outcome = decode(outcomeCodec, bytes)
  return outcome.ok && outcome.value.kind === 'executed' ? outcome.value.result : null
}
