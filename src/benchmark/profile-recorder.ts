// Loaded before anything else in each process of a profiled round (`NODE_OPTIONS=--import`, where --cpu-prof is not allowed): writes a CPU profile
// when the process ends, and beside it what the kernel counted over time, of the process and of this thread.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Session, type Profiler } from 'node:inspector'
import { join } from 'node:path'
import { isMainThread, threadId } from 'node:worker_threads'
import type { CpuUsage, ProfiledProcess } from './report/cpu-profile.ts'

const usageEveryMs = 500
const ticksPerSecond = 100
/** V8's own thread that collects samples: nobody pays for it where nothing is profiled. */
const collectorName = 'v8:Prof'

const dir = process.env['QUORATE_PROFILE_DIR']
if (dir !== undefined) record(dir)

function record(folder: string): void {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.start')
  const usage: CpuUsage[] = []
  const note = (): void => void usage.push(usageNow())
  note()
  setInterval(note, usageEveryMs).unref()
  process.on('exit', () => {
    note()
    session.post('Profiler.stop', (error: Error | null, { profile }: Profiler.StopReturnType) => {
      if (error !== null) return
      const quorate: ProfiledProcess = { pid: process.pid, command: process.argv.slice(1), usage }
      writeFileSync(join(folder, `${process.pid}-${threadId}.cpuprofile`), JSON.stringify({ ...profile, quorate }))
    })
  })
}

function usageNow(): CpuUsage {
  const { user, system } = process.cpuUsage()
  const all = (user + system) / 1e6
  const atUs = Number(process.hrtime.bigint() / 1000n)
  try {
    const tasks = readdirSync('/proc/self/task')
    const collectors = tasks.filter((task) => readTask(task, 'comm').startsWith(collectorName))
    const processSeconds = all - collectors.reduce((sum, task) => sum + secondsOf(task), 0)
    return { atUs, processSeconds, threadSeconds: isMainThread ? secondsOf(String(process.pid)) : processSeconds }
  } catch {
    // A kernel that does not tell threads apart.
    return { atUs, processSeconds: all, threadSeconds: all }
  }
}

function secondsOf(task: string): number {
  const stat = readTask(task, 'stat')
  // The name of a thread may hold blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function readTask(task: string, what: string): string {
  return readFileSync(`/proc/self/task/${task}/${what}`, 'utf8')
}
