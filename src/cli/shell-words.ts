// What a person copies into another terminal: it works in any folder, and whatever the names contain.

import { resolve } from 'node:path'

/** The path in full, since the other terminal may stand in another folder. */
export function shellPath(path: string): string {
  return shellWord(resolve(path))
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
