/**
 * A process of its own that runs one round: `node round-program.js ROUND`, where ROUND is a `Round` as JSON. It says `RoundLine`s, one a
 * line, and ends with 0, or with 1 after a line that says why. Signals, and the end of whoever started it with a channel or reads its lines,
 * end it and all that it has started. What is in the folder stays for whoever made it.
 */

import { watchInterruption, type Interruption } from '../cli/interruption.ts'
import { QuorateError } from '../kernel/quorate-error.ts'
import { requirePossible } from './failures.ts'
import { measurePoint, warmUp } from './measure-point.ts'
import { readRound } from './read-round.ts'
import { requireFolder } from './round-folder.ts'
import type { Round, RoundLine } from './round.ts'
import type { RunningSystem, SystemClient } from './system.ts'
import { systemNamed } from './systems/table.ts'

const interruption = watchInterruption()
const code = await run(interruption)
// What was said has been handed on when this is called.
process.stdout.write('', () => process.exit(code))

async function run({ arrived, signal }: Interruption): Promise<number> {
  let running: RunningSystem | null = null
  const work = async (): Promise<number> => {
    const round = readRound(process.argv[2])
    const system = systemNamed(round.system)
    const version = await system.version()
    requireFolder(round.setup)
    const liar = round.points.some(({ failure }) => failure === 'lying-replica')
    running = await system.start({ ...round.setup, liar })
    say({ kind: 'started', version, processes: running.processes.map(({ name }) => name) })
    await measureAll(round, running)
    if (round.check === true) say({ kind: 'checked', words: await checkOf(running) })
    return 0
  }
  const failed = (error: unknown): number => {
    if (!signal.aborted) say({ kind: 'failed', sentence: error instanceof Error ? error.message : String(error) })
    return 1
  }
  const result = await Promise.race([work().catch(failed), arrived.then(() => 1)])
  // One that is still starting has nothing to be stopped by, and ends with this process.
  await (running as RunningSystem | null)?.stop()
  return result
}

function checkOf(running: RunningSystem): Promise<string> {
  if (running.check !== undefined) return running.check()
  throw new QuorateError('ERR_BENCHMARK_ROUND', 'this system brings no check of itself: leave it out')
}

async function measureAll({ warmUp: phases = [], points, seed }: Round, running: RunningSystem): Promise<void> {
  for (const { failure } of points) if (failure !== undefined) requirePossible(failure, running)
  let clients: SystemClient[] = []
  for (const point of points) {
    if (clients.length !== point.clients) {
      await Promise.all(clients.map((client) => client.close()))
      clients = await running.connect(point.clients)
    }
    if (point === points[0]) await warmUp({ clients, point, seed }, phases)
    say({ kind: 'measured', result: await measurePoint({ running, clients, point, seed }) })
  }
  await Promise.all(clients.map((client) => client.close()))
}

function say(line: RoundLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
