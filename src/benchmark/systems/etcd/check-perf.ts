// `etcdctl check perf`: how etcd's own tool judges a cluster, beside what we measure of it. It takes a minute.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The least of its loads: 150 writes a second for a minute. */
const load = 's'
const patienceMs = 120_000
const linesMax = 8
const lineMax = 120

/** Throws where it is not installed, or was not able to judge. */
export async function checkPerf(clientPorts: readonly number[]): Promise<string> {
  const endpoints = clientPorts.map((port) => `127.0.0.1:${port}`).join(',')
  const args = [`--endpoints=${endpoints}`, 'check', 'perf', `--load=${load}`]
  const options = { env: { ...process.env, ETCDCTL_API: '3' }, timeout: patienceMs }
  // A cluster that it finds too slow makes it end with an error: that is a verdict too.
  const said = await promisify(execFile)('etcdctl', args, options).catch((error: unknown) => error as Partial<Said>)
  return verdictOf(said)
}

export interface Said {
  stdout: string
  stderr: string
  message?: string
}

export function verdictOf({ stdout = '', stderr = '', message = '' }: Partial<Said>): string {
  // A bar that shows how far it is stands in the same lines.
  const words = stdout.split(/[\r\n]/).flatMap((line) => /(?:PASS|FAIL)\b.*/.exec(line)?.[0].slice(0, lineMax) ?? [])
  if (words.length > 0) return words.slice(0, linesMax).join('\n')
  const last = (stderr === '' ? message : stderr).trim().split('\n').at(-1)!
  throw new Error(`etcdctl has not judged the cluster: ${last === '' ? 'it said nothing' : last.slice(0, lineMax)}`)
}

export async function hasCheckPerf(): Promise<boolean> {
  return promisify(execFile)('etcdctl', ['version'], { env: { ...process.env, ETCDCTL_API: '3' } }).then(
    () => true,
    () => false,
  )
}
