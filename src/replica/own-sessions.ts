// The sessions that this replica's own application has opened, in a file beside the log: a process that was killed cannot close its
// session, and a client may have few. The next life closes what is written here. Losing the file costs places, and nothing else.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SessionId } from '../kernel/envelope.ts'

export const ownSessionsFile = 'own-sessions.json'
/** Of so many lives; a close of theirs was sent at least so often. */
export const ownSessionsMax = 8

export class OwnSessions {
  readonly #path: string

  constructor(dataDir: string) {
    this.#path = join(dataDir, ownSessionsFile)
  }

  /** Whatever is wrong with the file: none. */
  read(): SessionId[] {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#path, 'utf8'))
      return Array.isArray(value) ? value.filter((one) => isSession(one)).slice(-ownSessionsMax) : []
    } catch {
      return []
    }
  }

  add(session: SessionId): void {
    const { height, index } = session
    const text = `${JSON.stringify([...this.read(), { height, index }].slice(-ownSessionsMax))}\n`
    try {
      writeFileSync(`${this.#path}.new`, text, { mode: 0o600 })
      renameSync(`${this.#path}.new`, this.#path)
    } catch {
      // A full disk stops votes, not this: one place of the quota stays taken until the session has been idle long enough.
    }
  }
}

function isSession(value: unknown): value is SessionId {
  if (typeof value !== 'object' || value === null) return false
  const { height, index } = value as Record<string, unknown>
  return [height, index].every((one) => Number.isSafeInteger(one) && (one as number) >= 0)
}
