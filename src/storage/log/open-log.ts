// Mends what recovery found and opens the log for writing. Each mend is durable before the next begins, and each may be interrupted:
// the next recovery finds either the mended log or the one it found before.

import type { FileError } from './file-port.ts'
import { segmentFile } from './format.ts'
import { Log, removeSegments, type LogOptions } from './log.ts'
import { segmentStarts } from './log-reader.ts'
import type { RecoveredLog } from './recovery.ts'

/** `opened` is called when the torn tail is gone, everything that was found is surely on disk, and the incarnation is durable. */
export function openLog(
  options: LogOptions,
  recovered: RecoveredLog,
  opened: (log: Log) => void,
  failed: (error: FileError) => void,
): void {
  const { directory } = options
  const doomed = [...recovered.leftover, ...(recovered.tornSegment === null ? [] : [recovered.tornSegment])]
  removeSegments(directory, doomed, () => cutTail(), failed)

  function cutTail(): void {
    const file = directory.open(segmentFile(recovered.end.segment))
    const settle = (error: FileError | null): void => {
      if (error !== null) return failed(error)
      // Also without a torn tail: what a killed process wrote and did not sync is readable, and could still be lost.
      file.sync((failure) => {
        file.close()
        if (failure !== null) failed(failure)
        else begin()
      })
    }
    if (recovered.tornBytes > 0) file.truncate(recovered.end.offset, settle)
    else settle(null)
  }

  function begin(): void {
    let log: Log | null = null
    let announced = false
    const { listener } = options
    const starts = segmentStarts(directory, options.crc32, {
      first: recovered.firstSegment,
      last: recovered.end.segment,
    })
    const watched: LogOptions = {
      ...options,
      listener: {
        durable: (upTo) => {
          if (announced) return listener.durable(upTo)
          announced = true
          opened(log!)
        },
        full: (error) => (announced ? listener.full(error) : failed(error)),
        failed: (error) => (announced ? listener.failed(error) : failed(error)),
      },
    }
    log = new Log(watched, recovered, starts)
    log.appendIncarnation()
    log.flush()
  }
}
