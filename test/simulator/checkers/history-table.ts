// Histories known to be good or bad, with the verdict of each checker. Where they differ, the history says why.

import type { DecidedOperation } from '../../../src/simulator/checkers/placement.ts'
import type { Invariant } from '../../../src/simulator/checkers/violation.ts'
import {
  counted,
  deleted,
  done,
  failed,
  found,
  gaveUp,
  get,
  increment,
  observed,
  ordered,
  put,
  refused,
  remove,
  swap,
  swapped,
  told,
  unknown,
  type Entry,
} from './entries.ts'

export interface KnownHistory {
  readonly name: string
  readonly entries: readonly Entry[]
  /** Decided besides what the entries say. */
  readonly alsoDecided?: readonly DecidedOperation[]
  readonly heightDecided?: number
  /** What replay finds wrong, each invariant once, as found. */
  readonly replay: readonly Invariant[]
  readonly linearizability: 'linearizable' | 'violation'
}

export const goodHistories: readonly KnownHistory[] = [
  good('nothing happened', []),
  good('a key that nobody wrote is empty', [observed(1, [0, 1], get('x'), found(null), 0)]),
  good('a read sees the write before it', [
    ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
    ordered(2, [20, 30], get('x'), found('a'), [2, 0]),
    observed(3, [40, 50], get('x'), found('a'), 2),
  ]),
  good('concurrent writes land in either order', [
    ordered(1, [0, 30], put('x', 'a'), done, [1, 1]),
    ordered(2, [10, 20], put('x', 'b'), done, [1, 0]),
    observed(3, [40, 50], get('x'), found('a'), 1),
  ]),
  good('concurrent reads around a write see new and old', [
    ordered(1, [0, 100], put('x', 'a'), done, [1, 0]),
    observed(2, [10, 50], get('x'), found('a'), 1),
    observed(3, [20, 60], get('x'), found(null), 0),
  ]),
  good('what happens in one microsecond overlaps', [
    ordered(1, [0, 10], put('x', 'a'), done, [2, 0]),
    ordered(2, [10, 20], put('x', 'b'), done, [1, 0]),
    observed(3, [30, 40], get('x'), found('a'), 2),
  ]),
  good('an unknown write takes effect late', [
    ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
    unknown(2, 5, put('x', 'b'), [[3, 0]]),
    observed(3, [20, 30], get('x'), found('a'), 2),
    observed(3, [40, 50], get('x'), found('b'), 3),
  ]),
  good('a write takes effect after its client gave up, and behind what was invoked later', [
    gaveUp(1, [0, 10], put('x', 'a'), [[2, 0]]),
    ordered(2, [20, 30], put('x', 'b'), done, [1, 0]),
    observed(2, [40, 50], get('x'), found('a'), 2),
  ]),
  good('an unknown write never takes effect', [
    unknown(2, 0, put('x', 'b')),
    observed(3, [20, 30], get('x'), found(null), 2),
    observed(3, [90, 95], get('x'), found(null), 3),
  ]),
  good('a write that failed is not there', [
    failed(1, [0, 10], put('x', 'a')),
    observed(2, [20, 30], get('x'), found(null), 4),
  ]),
  good('one of two swaps wins', [
    ordered(1, [0, 30], swap('x', null, 'a'), swapped(false), [1, 1]),
    ordered(2, [10, 20], swap('x', null, 'b'), swapped(true), [1, 0]),
    ordered(1, [40, 50], swap('x', 'b', 'c'), swapped(true), [2, 0]),
  ]),
  good('a deleted key is empty and can be deleted again', [
    ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
    ordered(1, [20, 30], remove('x'), deleted(true), [2, 0]),
    ordered(1, [40, 50], remove('x'), deleted(false), [3, 0]),
    observed(1, [60, 70], get('x'), found(null), 3),
  ]),
  good('increments count, and refuse what is no number', [
    ordered(1, [0, 10], increment('n'), counted(1), [1, 0]),
    ordered(2, [20, 30], increment('n'), counted(2), [1, 1]),
    ordered(1, [40, 50], get('n'), found('2'), [2, 0]),
    ordered(1, [60, 70], put('n', 'two'), done, [3, 0]),
    ordered(1, [80, 90], increment('n'), refused, [4, 0]),
  ]),
  good('two unknown increments explain a gap of two', [
    unknown(1, 0, increment('n'), [[1, 1]]),
    unknown(2, 0, increment('n'), [[1, 2]]),
    ordered(3, [1, 10], increment('n'), counted(1), [1, 0]),
    ordered(3, [20, 30], increment('n'), counted(4), [2, 0]),
  ]),
  good('an unknown swap explains another value', [
    ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
    unknown(2, 5, swap('x', 'a', 'b'), [[2, 0]]),
    unknown(3, 5, swap('x', 'b', 'c'), [[2, 1]]),
    observed(1, [20, 30], get('x'), found('c'), 2),
  ]),
  good('keys do not notice each other', [
    ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
    ordered(1, [20, 30], put('y', 'b'), done, [1, 1]),
    observed(2, [40, 50], get('y'), found('b'), 1),
    observed(2, [60, 70], get('x'), found('a'), 1),
  ]),
]

export const badHistories: readonly KnownHistory[] = [
  bad(
    'a stale read, honest about its height',
    ['real-time-order'],
    [
      ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
      ordered(1, [20, 30], put('x', 'b'), done, [2, 0]),
      observed(2, [40, 50], get('x'), found('a'), 1),
    ],
  ),
  bad(
    'a stale read that claims to be fresh',
    ['replayed-result'],
    [
      ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
      ordered(1, [20, 30], put('x', 'b'), done, [2, 0]),
      observed(2, [40, 50], get('x'), found('a'), 2),
    ],
  ),
  bad(
    'a stale read through the log',
    ['replayed-result'],
    [ordered(1, [0, 10], put('x', 'a'), done, [1, 0]), ordered(2, [40, 50], get('x'), found(null), [2, 0])],
  ),
  bad(
    'a stale read without a position: replay cannot see it',
    [],
    [ordered(1, [0, 10], put('x', 'a'), done, [1, 0]), told(2, [20, 30], get('x'), found(null), null, [])],
  ),
  bad(
    'a lost update',
    ['replayed-result'],
    [ordered(1, [0, 10], increment('n'), counted(1), [1, 0]), ordered(2, [20, 30], increment('n'), counted(1), [2, 0])],
  ),
  bad(
    'an increment executed twice',
    ['executed-once', 'replayed-result'],
    [
      told(1, [0, 10], increment('n'), counted(1), { kind: 'ordered', height: 1, index: 0 }, [
        [1, 0],
        [2, 0],
      ]),
      observed(2, [20, 30], get('n'), found('2'), 2),
    ],
  ),
  bad(
    'an unknown increment executed twice',
    ['executed-once', 'replayed-result'],
    [
      unknown(1, 0, increment('n'), [
        [1, 0],
        [2, 0],
      ]),
      ordered(2, [20, 30], increment('n'), counted(3), [3, 0]),
    ],
  ),
  bad(
    'a value that nobody wrote',
    ['replayed-result'],
    [ordered(1, [0, 10], put('x', 'a'), done, [1, 0]), observed(2, [5, 30], get('x'), found('z'), 1)],
  ),
  bad(
    'split brain: two leaders acknowledge different writes',
    ['acknowledged-kept', 'replayed-result'],
    [
      ordered(1, [0, 10], put('x', 'a'), done, [5, 0]),
      told(2, [0, 10], put('x', 'b'), done, { kind: 'ordered', height: 5, index: 0 }, []),
      observed(1, [20, 30], get('x'), found('a'), 5),
      observed(2, [40, 50], get('x'), found('b'), 5),
      observed(1, [60, 70], get('x'), found('a'), 5),
    ],
  ),
  bad(
    'reads that go backwards',
    ['real-time-order'],
    [
      ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
      ordered(1, [20, 100], put('x', 'b'), done, [2, 0]),
      observed(2, [30, 40], get('x'), found('b'), 2),
      observed(3, [50, 60], get('x'), found('a'), 1),
    ],
  ),
  bad(
    'a ghost: a write that failed for certain is seen',
    ['failure-definite'],
    [failed(1, [0, 10], put('x', 'a'), [[1, 0]]), observed(2, [20, 30], get('x'), found('a'), 1)],
  ),
  bad(
    'a ghost that is seen and was not decided',
    ['replayed-result'],
    [failed(1, [0, 10], put('x', 'a')), observed(2, [20, 30], get('x'), found('a'), 1)],
  ),
  bad(
    'an unknown write that comes and goes',
    ['replayed-result'],
    [
      ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
      unknown(2, 5, put('x', 'b'), [[2, 0]]),
      observed(3, [20, 30], get('x'), found('b'), 2),
      observed(3, [40, 50], get('x'), found('a'), 3),
    ],
  ),
  bad(
    'an unknown write is seen before it was invoked',
    ['real-time-order'],
    [observed(3, [0, 10], get('x'), found('b'), 1), unknown(2, 20, put('x', 'b'), [[1, 0]])],
  ),
  bad(
    'one unknown increment does not explain a gap of two',
    ['replayed-result'],
    [
      unknown(1, 0, increment('n'), [[1, 1]]),
      ordered(3, [1, 10], increment('n'), counted(1), [1, 0]),
      ordered(3, [20, 30], increment('n'), counted(4), [2, 0]),
    ],
  ),
  bad(
    'an acknowledged write is gone',
    ['acknowledged-kept'],
    [
      told(1, [0, 10], put('x', 'a'), done, { kind: 'ordered', height: 1, index: 0 }, []),
      observed(2, [20, 30], get('x'), found(null), 1),
    ],
  ),
  bad(
    'a write answered like a read',
    ['acknowledged-kept'],
    [
      told(1, [0, 10], put('x', 'a'), done, { kind: 'observed', height: 1 }, []),
      observed(2, [20, 30], get('x'), found(null), 1),
    ],
  ),
  bad(
    'writes swapped in the log, and seen so',
    ['real-time-order'],
    [
      ordered(1, [0, 10], put('x', 'a'), done, [2, 0]),
      ordered(2, [20, 30], put('x', 'b'), done, [1, 0]),
      observed(3, [40, 50], get('x'), found('a'), 2),
    ],
  ),
  bad(
    'a later write is ordered within the block of an earlier one, before it',
    ['real-time-order'],
    [
      ordered(1, [0, 10], put('x', 'a'), done, [1, 1]),
      ordered(2, [20, 30], put('x', 'b'), done, [1, 0]),
      observed(3, [40, 50], get('x'), found('a'), 1),
    ],
  ),
  bad(
    'both of two swaps win',
    ['replayed-result'],
    [
      ordered(1, [0, 30], swap('x', null, 'a'), swapped(true), [1, 1]),
      ordered(2, [10, 20], swap('x', null, 'b'), swapped(true), [1, 0]),
    ],
  ),
  bad(
    'a swap is refused though it fits',
    ['replayed-result'],
    [
      ordered(1, [0, 10], put('x', 'a'), done, [1, 0]),
      ordered(2, [20, 30], swap('x', 'a', 'b'), swapped(false), [2, 0]),
    ],
  ),
  bad(
    'a delete misses what is there',
    ['replayed-result'],
    [ordered(1, [0, 10], put('x', 'a'), done, [1, 0]), ordered(2, [20, 30], remove('x'), deleted(false), [2, 0])],
  ),
  bad(
    'an increment is refused for no reason',
    ['replayed-result'],
    [ordered(2, [20, 30], increment('n'), refused, [2, 0])],
  ),
  bad('an answer of another kind', ['replayed-result'], [ordered(2, [20, 30], increment('n'), done, [2, 0])]),
]

/** What only replay can know, because it takes positions or the decided list to see it. */
export const badOrders: readonly KnownHistory[] = [
  hidden(
    'writes swapped in the log, and nobody looks',
    ['real-time-order'],
    [ordered(1, [0, 10], put('x', 'a'), done, [2, 0]), ordered(2, [20, 30], put('x', 'b'), done, [1, 0])],
  ),
  hidden(
    'writes of different keys swapped in the log',
    ['real-time-order'],
    [ordered(1, [0, 10], put('x', 'a'), done, [2, 0]), ordered(2, [20, 30], put('y', 'b'), done, [1, 0])],
  ),
  hidden(
    'an unknown write stands before one that completed first',
    ['real-time-order'],
    [ordered(1, [0, 10], put('x', 'a'), done, [2, 0]), unknown(2, 20, put('x', 'b'), [[1, 0]])],
  ),
  hidden(
    'a write lands at a height that a read has seen already',
    ['real-time-order'],
    [observed(1, [0, 10], get('x'), found(null), 4), ordered(2, [20, 30], put('y', 'a'), done, [4, 0])],
  ),
  hidden(
    'reads go backwards and see the same',
    ['real-time-order'],
    [observed(1, [0, 10], get('x'), found(null), 4), observed(2, [20, 30], get('x'), found(null), 3)],
  ),
  hidden(
    'a write executed twice that leaves no trace',
    ['executed-once'],
    [
      told(1, [0, 10], put('x', 'a'), done, { kind: 'ordered', height: 1, index: 0 }, [
        [1, 0],
        [2, 0],
      ]),
      observed(2, [20, 30], get('x'), found('a'), 2),
    ],
  ),
  hidden(
    'two operations at one position',
    ['position-unique'],
    [ordered(1, [0, 10], put('x', 'a'), done, [1, 0]), ordered(2, [0, 10], put('y', 'b'), done, [1, 0])],
  ),
  hidden(
    'a client is told another position',
    ['position-agreed'],
    [told(1, [0, 10], put('x', 'a'), done, { kind: 'ordered', height: 1, index: 1 }, [[1, 0]])],
  ),
  hidden(
    'a client is told of a read where a log entry was executed',
    ['position-agreed'],
    [told(1, [0, 10], get('x'), found(null), { kind: 'observed', height: 1 }, [[1, 0]])],
  ),
  hidden(
    'a read through the log that is not in it',
    ['acknowledged-kept'],
    [told(1, [0, 10], get('x'), found(null), { kind: 'ordered', height: 1, index: 1 }, [])],
  ),
  hidden(
    'a failed write is decided and overwritten unseen',
    ['failure-definite'],
    [failed(1, [0, 10], put('x', 'a'), [[1, 0]]), ordered(1, [20, 30], put('x', 'b'), done, [2, 0])],
  ),
  {
    ...hidden(
      'something is decided that nobody invoked',
      ['invoked-first'],
      [ordered(1, [0, 10], put('x', 'a'), done, [1, 0])],
    ),
    alsoDecided: [{ height: 1, index: 1, client: 7, id: 1 }],
  },
  {
    ...hidden(
      'a read at a height that is not decided',
      ['position-decided'],
      [observed(1, [0, 10], get('x'), found(null), 10)],
    ),
    heightDecided: 9,
  },
  {
    ...hidden(
      'an operation at a height that is not decided',
      ['position-decided'],
      [ordered(1, [0, 10], put('x', 'a'), done, [10, 0])],
    ),
    heightDecided: 9,
  },
  hidden(
    'a read at a height that is no number',
    ['position-decided'],
    [observed(1, [0, 10], get('x'), found(null), Number.NaN)],
  ),
]

function good(name: string, entries: readonly Entry[]): KnownHistory {
  return { name, entries, replay: [], linearizability: 'linearizable' }
}

function bad(name: string, replay: readonly Invariant[], entries: readonly Entry[]): KnownHistory {
  return { name, entries, replay, linearizability: 'violation' }
}

function hidden(name: string, replay: readonly Invariant[], entries: readonly Entry[]): KnownHistory {
  return { name, entries, replay, linearizability: 'linearizable' }
}
