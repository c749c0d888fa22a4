// What a log holds, as a protocol is given it at its start.

import { decode } from '../wire/codec.ts'
import type { Checkpoint } from '../kernel/checkpoint.ts'
import type { Persisted, ProtocolDefinition, Recovered } from '../kernel/protocol.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import type { Log } from '../storage/log/log.ts'

export function recoveredFrom<LogRecord>(
  log: Log,
  definition: Pick<ProtocolDefinition<never, LogRecord>, 'logRecord'>,
  checkpoint: Checkpoint | null,
  abstains: boolean,
): Recovered<LogRecord> {
  function* records(): Generator<{ sequence: Persisted; record: LogRecord }> {
    for (const { sequence, bytes } of log.records()) {
      const record = decode(definition.logRecord, bytes)
      // Sound by its checksum, so it was written like this: by another release, or by a bug. Either way we must not vote.
      if (!record.ok)
        throw new QuorateError('ERR_LOG_CORRUPT', `record ${sequence} cannot be read: ${record.error.message}`)
      yield { sequence, record: record.value }
    }
  }
  return { incarnation: log.incarnation, records: records(), checkpoint, abstains }
}
