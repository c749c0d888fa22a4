import { expect, test } from 'vitest'
import type { ReplicaId } from '../../src/kernel/ids.ts'
import { readReport } from '../../src/cli/replica-report.ts'
import { statusTable } from '../../src/cli/status-table.ts'

const honest = {
  role: 'leader',
  view: 3,
  leader: 1,
  decidedHeight: 9,
  executedHeight: 7,
  phase: 'leads',
  protocol: 'raft',
  stalled: false,
  peers: [
    { connected: true, silentMs: 12.4 },
    { connected: false, silentMs: 9000 },
    { connected: true, silentMs: null },
  ],
}

test('reads what an honest replica says', () => {
  expect(readReport(JSON.stringify(honest))).toMatchObject({ role: 'leader', view: 3, executedHeight: 7, silentMs: 12 })
})

test('what is no report is nobody who answers', () => {
  for (const text of ['', '{', 'null', '[]', '"text"', `{"phase":"${'x'.repeat(300_000)}"}`]) {
    expect(readReport(text)).toBeNull()
  }
})

test('a replica that lies writes one line, without control characters, and shifts no numbers', () => {
  const evil = '\u001b[2J\nreplica 9\u009b\u202e\u2028'
  const lies = {
    ...honest,
    role: evil,
    phase: evil.repeat(50),
    view: -1,
    leader: 1.5,
    decidedHeight: '9',
    peers: [null, 7],
  }
  const report = readReport(JSON.stringify(lies))
  expect(report).toMatchObject({ view: null, leader: null, decidedHeight: null, silentMs: null })
  const lines = statusTable([{ replica: 1 as ReplicaId, name: 'one', report, roundTripMs: 1 }], 'raft')
  expect(lines).toHaveLength(2)
  expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  expect(lines[1]!.length).toBeLessThan(2_000)
})

test('behind is counted against the highest that anybody says is decided', () => {
  const one = { replica: 1 as ReplicaId, name: 'one', report: readReport(JSON.stringify(honest)), roundTripMs: 1 }
  const two = { ...one, replica: 2 as ReplicaId, report: readReport(JSON.stringify({ ...honest, executedHeight: 9 })) }
  const rows = statusTable([one, two, { ...one, replica: 3 as ReplicaId, report: null }], 'pbft')
  expect(rows[0]).toContain('view')
  expect(rows[1]).toMatch(/ 9 +7 +2 +1 ms/)
  expect(rows[2]).toMatch(/ 9 +9 +0 +1 ms/)
  expect(rows[3]).toMatch(/^3 \(one\) +away/)
})

test('its warnings are read one by one, few and short, and its role is a word in the table', () => {
  const warnings = [
    'follows without a vote',
    7,
    '',
    '\u001b[2J',
    ...Array.from({ length: 20 }, () => 'x'.repeat(1_000)),
  ]
  const report = readReport(JSON.stringify({ ...honest, voice: 'abstains', role: 'abstaining: because', warnings }))!
  expect(report).toMatchObject({ voice: 'abstains', role: 'abstaining: because' })
  expect(report.warnings.length).toBeLessThanOrEqual(8)
  expect(report.warnings[0]).toBe('follows without a vote')
  expect(report.warnings.join('')).not.toMatch(/[\p{Cc}]/u)
  expect(Math.max(...report.warnings.map((one) => one.length))).toBeLessThan(400)
  expect(readReport(JSON.stringify(honest))).toMatchObject({ voice: '-', warnings: [] })
  const [, line] = statusTable([{ replica: 1 as ReplicaId, name: 'one', report, roundTripMs: 1 }], 'raft')
  expect(line).toMatch(/^1 \(one\) {2}abstaining {2}/)
})
