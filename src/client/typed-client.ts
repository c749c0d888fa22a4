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

/** One promise an operation: each further one, and each async function, costs as much as the rest of what is done here. */
export function submitTyped<Command, Query, Result>(
  codecs: Codecs<Command, Query, Result>,
  submitter: Submitter,
  command: Command,
  options: WaitOptions = {},
): Promise<SubmitResult<Result>> {
  let encoded: Uint8Array
  try {
    // Brief: it is copied into the envelope of this turn or one of the next, and let go of.
    encoded = codecs.command.encodeBriefly?.(command) ?? codecs.command.encode(command)
  } catch (error) {
    return Promise.reject(error as Error)
  }
  return submitter.submit(encoded, options, ({ result, height, index }) => {
    return { result: decodeResult(codecs, result), height, index }
  })
}

export function queryTyped<Command, Query, Result>(
  codecs: Codecs<Command, Query, Result>,
  submitter: Submitter,
  query: Query,
  options: QueryOptions = {},
): Promise<QueryResult<Result>> {
  let encoded: Uint8Array
  try {
    encoded = codecs.query.encode(query)
  } catch (error) {
    return Promise.reject(error as Error)
  }
  const { consistency = 'linearizable' } = options
  return submitter.query(encoded, consistency, options, ({ result, height }) => {
    return { result: decodeResult(codecs, result), height }
  })
}

function decodeResult<Command, Query, Result>(codecs: Codecs<Command, Query, Result>, bytes: Uint8Array): Result {
  const decoded = codecs.result.decode(bytes)
  if (decoded.ok) return decoded.value
  const message = `it was executed, and its result cannot be read (${decoded.reason}): use the replicas' definition`
  throw new QuorateError('ERR_RESULT_UNREADABLE', message, { certainty: 'indefinite' })
}
