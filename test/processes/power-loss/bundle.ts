// The replica's process in one file: a run loads it a thousand times and more, and Node takes three times as long for hundreds of files.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(
  new URL(import.meta.url.includes('/.tools/') ? '../../../../' : '../../../', import.meta.url),
)

/** Returns the path of the program. What it is made of has been compiled: `tsc -p tsconfig.tools.json`. */
export async function bundleReplica(folder: string): Promise<string> {
  const entryFileNames = 'replica-process.mjs'
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: join(root, '.tools/test/processes/power-loss/replica-process.js'),
      outDir: folder,
      emptyOutDir: false,
      target: 'es2023',
      rolldownOptions: { output: { codeSplitting: false, entryFileNames } },
    },
  })
  return join(folder, entryFileNames)
}
