// `quorate wal verify DIR`: would a replica start on this log? Reads all of it, and writes nothing.

import type { Command } from '../command.ts'
import { exitCode } from '../exit-codes.ts'
import { flag, parseOptions, UsageError, type CommandSpec } from '../options.ts'
import { openOfflineLog, totalsOf } from '../wal/offline-log.ts'

const spec: CommandSpec = {
  name: 'wal verify',
  summary: "reads a replica's whole log and says whether it is sound",
  usage: 'quorate wal verify DIR [--json]',
  options: [{ name: 'json', description: 'prints one JSON object and nothing else' }],
  examples: ['quorate wal verify net/replica-1', 'quorate wal verify /var/lib/quorate/data --json'],
}

export const walVerifyCommand: Command = {
  spec,
  run: (args, output) =>
    Promise.resolve().then(() => {
      const parsed = parseOptions(spec, args)
      const [path, ...rest] = parsed.positionals
      if (path === undefined || rest.length > 0) throw new UsageError('say: wal verify DIR')
      const log = openOfflineLog(path)
      const json = flag(parsed, 'json')
      const { recovered, network, replica, isLocked, segments } = log
      if (isLocked) output.error('a replica has this log open, or died with it open: what it writes now may look torn')
      const about = { network, replica, segments: segments.length }
      if (!recovered.ok) {
        const { code, message } = recovered
        if (json) output.out(JSON.stringify({ ok: false, code, message, ...about }))
        else output.error(`${message} (${code})`)
        return exitCode.failed
      }
      const { records, bytes, unreadable, firstUnreadable } = totalsOf(log, recovered)
      const { tornBytes, incarnation, end, abstains } = recovered
      const voice = abstains ? 'abstains' : 'votes'
      const ok = unreadable === 0
      if (json)
        output.out(JSON.stringify({ ok, ...about, voice, records, bytes, unreadable, tornBytes, incarnation, end }))
      else if (!ok) {
        const first = `record ${firstUnreadable} and ${unreadable - 1} more are sound and cannot be read`
        output.error(`${first}: another release wrote them, start that one (ERR_LOG_FORMAT_VERSION)`)
      } else {
        const torn = tornBytes === 0 ? 'nothing torn' : `${tornBytes} torn bytes at the end, which a start cuts`
        output.out(
          `sound: ${records} records, ${bytes} bytes in ${segments.length} segments up to sequence ${end.sequence}; ${torn}${abstains ? '; the replica follows without a vote' : ''}`,
        )
      }
      return ok ? exitCode.ok : exitCode.failed
    }),
}
