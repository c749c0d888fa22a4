// Compiles src/ into dist/ from scratch, so that no file of a deleted module survives, and makes the command executable.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
rmSync(`${root}dist`, { recursive: true, force: true })
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`], {
  stdio: 'inherit',
  cwd: root,
})
const cli = `${root}dist/cli/main.js`
if (existsSync(cli)) chmodSync(cli, 0o755)
