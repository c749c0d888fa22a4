// Bundles `quorate/client`, as a bundler for browsers finds it, into one ES module: for a page that has no build of its own.
// node scripts/bundle-client.mjs [package folder] [file to write]: the compiled package is this one if none is named.
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = resolve(process.argv[2] ?? root)
const file = resolve(process.argv[3] ?? join(folder, 'dist/browser/quorate-client.js'))
const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const entry = join(folder, exports['./client'].browser.default)
if (!existsSync(entry)) throw new Error(`${entry} is not there: run npm run build first`)

await build({
  configFile: false,
  root: folder,
  logLevel: 'warn',
  build: {
    lib: {
      entry,
      formats: ['es'],
      fileName: () => basename(file),
    },
    outDir: dirname(file),
    emptyOutDir: false,
    target: 'es2023',
    // Vite leaves the white space of libraries to whoever bundles them next: here nobody does.
    rolldownOptions: { output: { minify: true, codeSplitting: false } },
  },
})

const bytes = readFileSync(file)
process.stdout.write(`${file}: ${kibibytes(bytes.length)}, ${kibibytes(gzipSync(bytes).length)} with gzip\n`)

function kibibytes(count) {
  return `${(count / 1024).toFixed(1)} KiB`
}
