// Bugs of reads and replies where replicas may lie.

import type { PlantedBug } from './planted-bug.ts'

const agreement = 'src/client/core/read-agreement.ts'
const clientReads = 'src/client/core/client-reads.ts'
const orderedReads = 'src/client/core/ordered-reads.ts'
const reads: PlantedBug['finder'] = {
  kind: 'tests',
  files: ['test/client/core/fast-reads.test.ts', 'test/client/core/stale-read.test.ts'],
}

export const readBugs: readonly PlantedBug[] = [
  {
    name: 'r3-answers-at-once',
    title: 'a replica answers a fast read at once, from whatever it has executed, and states that',
    file: 'src/replica/core/gateway-reads.ts',
    find: 'read.stated = height\n',
    replace: 'read.stated = Math.min(height, this.#options.executor.height)\n',
    finder: { kind: 'tests', files: ['test/client/core/stale-read.test.ts'] },
  },
  {
    name: 'r3-statements-not-counted',
    title: 'a client believes equal answers, however far below what a quorum has stated',
    file: agreement,
    find: 'if (height < heightMin) continue\n',
    replace: 'if (height < 0) continue\n',
    finder: reads,
  },
  {
    name: 'r3-one-statement-too-few',
    title: 'the statements of one replica fewer than a quorum bound a fast read',
    file: agreement,
    find: '[quorum - 1] ?? null',
    replace: '[quorum - 2] ?? null',
    finder: reads,
  },
  {
    name: 'r3-heights-not-compared',
    title: 'answers of different heights are counted as equal',
    file: agreement,
    find: 'if (other.height === height && other.words === words) equal++',
    replace: 'if (other.words === words) equal++',
    finder: reads,
  },
  {
    name: 'fast-read-believes-one',
    title: 'one answer of a height that is high enough is believed',
    file: agreement,
    find: 'if (equal >= this.#rule.oneCorrect) return',
    replace: 'if (equal >= 1) return',
    finder: reads,
  },
  {
    name: 'fast-read-answers-changed',
    title: 'a replica may answer a fast read again, until something fits',
    file: agreement,
    find: 'if (this.#said.has(from)) return\n',
    replace: 'if (this.#said.size > 99) return\n',
    finder: reads,
  },
  {
    name: 'b13-never-ordered',
    title: 'a fast read that does not come together is asked again for ever',
    file: clientReads,
    find: 'read.attempts < limits.fastReadAttemptsMax',
    replace: 'read.attempts < limits.fastReadAttemptsMax * 1e9',
    finder: reads,
  },
  {
    name: 'ordered-read-believes-one',
    title: 'one reply to an ordered read is believed',
    file: orderedReads,
    find: '!flight!.counts[place]!.add(from, height, 0, answer)',
    replace: '(flight!.counts[place]!.add(from, height, 0, answer), false)',
    finder: reads,
  },
  {
    name: 'ordered-read-named-anew-each-time',
    title: 'an ordered read has another name at each attempt: where blocks are few, its names fill them (liveness)',
    file: orderedReads,
    find: 'if (flight.attempts < namedAnewAfter * 2 ** (flight.names.length - 1)) return',
    replace: 'if (flight.attempts === 0) return',
    finder: { kind: 'tests', files: ['test/simulator/ordered-reads.test.ts'] },
  },
  {
    name: 'ordered-read-never-named-anew',
    title: 'an ordered read keeps its name for ever: what too few have kept the answers to never ends (liveness)',
    file: orderedReads,
    find: 'if (flight.attempts < namedAnewAfter * 2',
    replace: 'if (flight.attempts < 1e9 * 2',
    finder: { kind: 'tests', files: ['test/client/core/fast-reads.test.ts'] },
  },
  {
    name: 'executed-read-never-ordered-again',
    title: 'a member that has skipped the block of a read waits for it for ever, and blames leaders (liveness)',
    file: 'src/replica/core/client-gateway.ts',
    find: "if (leads && envelope.value.kind === 'read') this.#mayOrderAgain(envelope.value, now)",
    replace: '',
    finder: { kind: 'tests', files: ['test/replica/core/client-gateway.test.ts'] },
  },
  {
    name: 'ordered-read-answered-anew',
    title:
      'a copy of an ordered read that is ordered too is answered from the later state, and its first answers are forgotten',
    file: 'src/replica/core/late-reads.ts',
    find: 'if (earlier !== null) return earlier',
    replace: 'void earlier',
    finder: { kind: 'tests', files: ['test/replica/core/client-gateway.test.ts'] },
  },
  {
    name: 'one-hint-is-believed',
    title: 'one replica says who the primary is, and gets what is new alone',
    file: 'src/client/core/primary.ts',
    find: 'if (equal < this.#hintsNeeded) return false',
    replace: 'if (equal < 1) return false',
    finder: { kind: 'tests', files: ['test/client/core/lying-replicas.test.ts'] },
  },
  {
    name: 'hints-are-believed-where-leaders-take-turns',
    title: 'hotstuff: a client sends what is new to the leader of a view that is over',
    file: 'src/client/core/client-core.ts',
    find: 'options.leadersTakeTurns === true ? Infinity : options.repliesNeeded',
    replace: 'options.repliesNeeded',
    finder: { kind: 'tests', files: ['test/client/core/lying-replicas.test.ts'] },
  },
  {
    name: 'learners-replies-count',
    title: 'the replies of learners count towards those that are believed',
    file: 'src/client/core/client-core.ts',
    find: "if (response.kind !== 'status' && !this.#voters.has(from) && this.#options.repliesNeeded > 1) return",
    replace: "if (response.kind !== 'status' && !this.#voters.has(from) && this.#options.repliesNeeded > 99) return",
    finder: { kind: 'tests', files: ['test/client/core/lying-replicas.test.ts'] },
  },
]
