// Writes wire-vectors.json anew. Run it on purpose only: what it changes is the format of networks that exist.
// `npx tsc -p tsconfig.tools.json && node .tools/test/conformance/make-wire-vectors.js test/conformance/wire-vectors.json`

import { writeFileSync } from 'node:fs'
import { encode } from '../../src/wire/codec.ts'
import { registry } from './registry.ts'

export function makeVectors(): string {
  const vectors = registry.map(({ name, codec, value }) => ({
    name,
    hex: Buffer.from(encode(codec, value)).toString('hex'),
  }))
  return `${JSON.stringify(vectors, null, 2)}\n`
}

const path = process.argv[2]
if (path?.endsWith('wire-vectors.json')) writeFileSync(path, makeVectors())
