// A hash over everything that can change what a seed does: results recorded under it stay true while it stays the same.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const rooms = ['kernel', 'wire', 'protocols', 'execution', 'storage/log', 'replica', 'simulator']

export function sourcesHash(): string {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const hash = createHash('sha256')
  for (const room of rooms) {
    const names = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    for (const name of names.filter((one) => one.endsWith('.js')).sort()) {
      hash.update(`${room}/${name}\n`)
      hash.update(readFileSync(join(root, room, name)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}
