// The application's own types around bytes: its commands, queries and results as its state machine's codecs write them.

import type { StateMachineDefinition } from '../execution/state-machine.ts'
import type { Consistency } from '../kernel/client-messages.ts'
import type { Height } from '../kernel/ids.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import type { Submitter, WaitOptions } from './submitter.ts'

export interface SubmitResult<Result> {
  result: Result
  /** Where the operation stands in the order of all. */
  height: Height
  index: number
}

export interface QueryOptions extends WaitOptions {
  /** `linearizable`, the default: as if at one moment between question and answer. `local`: possibly old, and unproven. */
  consistency?: Consistency
}

export interface QueryResult<Result> {
  result: Result
  /** The state that answered had executed this height. */
  height: Height
}

type Codecs<Command, Query, Result> = Pick<
  StateMachineDefinition<Command, Query, Result>,
  'command' | 'query' | 'result'
>

export async function submitTyped<Command, Query, Result>(
  codecs: Codecs<Command, Query, Result>,
  submitter: Submitter,
  command: Command,
  options?: WaitOptions,
): Promise<SubmitResult<Result>> {
  const { result, height, index } = await submitter.submit(codecs.command.encode(command), options)
  return { result: decodeResult(codecs, result), height, index }
}

export async function queryTyped<Command, Query, Result>(
  codecs: Codecs<Command, Query, Result>,
  submitter: Submitter,
  query: Query,
  options: QueryOptions = {},
): Promise<QueryResult<Result>> {
  const { consistency = 'linearizable', ...wait } = options
  const { result, height } = await submitter.query(codecs.query.encode(query), consistency, wait)
  return { result: decodeResult(codecs, result), height }
}

function decodeResult<Command, Query, Result>(codecs: Codecs<Command, Query, Result>, bytes: Uint8Array): Result {
  const decoded = codecs.result.decode(bytes)
  if (decoded.ok) return decoded.value
  const message = `it was executed, and its result cannot be read (${decoded.reason}): use the replicas' definition`
  throw new QuorateError('ERR_RESULT_UNREADABLE', message, { certainty: 'indefinite' })
}
