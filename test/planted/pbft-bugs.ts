// Bugs of pbft: each breaks one rule of src/protocols/pbft/README.md.

import type { PlantedBug } from './planted-bug.ts'

const folder = 'src/protocols/pbft'
const paper = 'test/protocols/pbft/pbft-paper.test.ts'
const views = 'test/protocols/pbft/pbft-paper-views.test.ts'
const pitfalls = 'test/protocols/pbft/pitfalls.test.ts'
const hostile = 'test/protocols/pbft/hostile.test.ts'
const crashes = 'test/protocols/pbft/crash-points.test.ts'
const losses = 'test/protocols/pbft/lost-messages.test.ts'
const kept = 'test/protocols/pbft/kept-rules.test.ts'
const links = 'test/protocols/pbft/round-trips.test.ts'
const random = 'test/protocols/pbft/random-liar.test.ts'

function tests(...files: string[]): PlantedBug['finder'] {
  return { kind: 'tests', files }
}

/** Nobody is told to lie: whether somebody does, and how, is drawn. */
function simulator(seed: number): PlantedBug['finder'] {
  return { kind: 'simulator', protocol: 'pbft', replicas: 4, faults: 'all', seed }
}

export const pbftBugs: readonly PlantedBug[] = [
  {
    name: 'r4-one-prepare-too-few',
    title: 'the pre-prepare and prepares of one replica fewer than a quorum make a certificate',
    file: `${folder}/agreement.ts`,
    find: 'gather(slot.prepares, digest, state.membership.quorum - 1,',
    replace: 'gather(slot.prepares, digest, state.membership.quorum - 2,',
    finder: simulator(1),
  },
  {
    name: 'r4-primary-prepares-too',
    title: 'a prepare of the primary counts beside its pre-prepare',
    file: `${folder}/agreement.ts`,
    find: "if (kind === 'prepare' && from === primaryOf(state, view)) return",
    replace: "if (kind === 'prepare' && from === state.self) return",
    finder: tests(paper, pitfalls, hostile),
  },
  {
    name: 'b3-null-for-what-was-prepared',
    title: 'a new view proposes the null block where a certificate says what was prepared',
    file: `${folder}/new-views.ts`,
    find: 'const certificate = highest.get(base + 1 + index)',
    replace: 'const certificate = highest.get(base + 4096 + index)',
    finder: simulator(1),
  },
  {
    name: 'b3-lower-view-wins',
    title: 'of two certificates for one number the one of the lower view is proposed again',
    file: `${folder}/new-views.ts`,
    find: 'certificate.view > other.view',
    replace: 'certificate.view < other.view',
    finder: simulator(187),
  },
  {
    name: 'b5-one-view-change-moves-all',
    title: 'a replica joins the highest view that anybody asks for',
    file: `${folder}/view-change-intake.ts`,
    find: 'views[oneCorrect - 1]',
    replace: 'views[0]',
    finder: tests(views, pitfalls),
  },
  {
    name: 'b7-pre-prepare-unsigned',
    title: 'the signature of a pre-prepare is not checked',
    file: `${folder}/agreement.ts`,
    find: "if (!isSignedPhase(state, 'pre-prepare', from, statement, signature)) {",
    replace: 'if (signature.length === 0) {',
    finder: tests(paper, pitfalls),
  },
  {
    name: 'new-view-unsigned',
    title: 'the signature of a new view is not checked',
    file: `${folder}/new-views.ts`,
    find: 'if (!isSignedNewView(state, primary, message)) return',
    replace: 'if (message.signature.length === 0) return',
    finder: tests(views, pitfalls, hostile),
  },
  {
    name: 'b3-prepares-of-a-certificate-unchecked',
    title: 'a certificate in a view change counts, whoever signed its prepares',
    file: `${folder}/judging.ts`,
    find: "if (!isProven(state, 'prepare', prepare.replica, { statement, name }, prepare.signature)) return",
    replace: 'if (prepare.signature.length === 0) return',
    finder: tests(views, random),
  },
  {
    name: 'checkpoint-of-a-view-change-unchecked',
    title: 'a view change may claim any checkpoint',
    file: `${folder}/judging.ts`,
    find: 'const fault = state.rules.fault(checkpoint)',
    replace: 'const fault = null as string | null',
    finder: tests(kept),
  },
  {
    name: 'b8-invalid-payload-prepared',
    title: 'a replica prepares a block whose envelopes are none',
    file: `${folder}/agreement.ts`,
    find: 'if (ok) accept(step, slot)',
    replace: 'if (ok || !ok) accept(step, slot)',
    finder: tests(paper, pitfalls),
  },
  {
    name: 'r19-clock-not-asked',
    title: 'a proposed timestamp is not held against the clock',
    file: `${folder}/agreement.ts`,
    find: '> state.parameters.pbft.clockToleranceMs',
    replace: '> 8 * 365 * 86_400_000',
    finder: tests(paper, pitfalls),
  },
  {
    name: 'r10-unverified-votes-counted',
    title: 'votes stand in certificates that nobody has verified',
    file: `${folder}/votes.ts`,
    find: 'if (!vote.verified && !isValid(replica, vote)) {',
    replace: 'if (!vote.verified && vote.signature.length === 0) {',
    finder: tests(paper, pitfalls),
  },
  {
    name: 'b23-second-vote-replaces-the-first',
    title: 'the second vote of an equivocator erases the first',
    file: `${folder}/agreement.ts`,
    find: 'if (!equalBytes(first.digest, digest)) onSecondVote(step, from, vote, first)\n    return',
    replace:
      'if (!equalBytes(first.digest, digest)) votes.set(from, { digest, signature, verified: false })\n    return',
    finder: tests(kept),
  },
  {
    name: 'r14-number-given-twice',
    title: 'a primary that restarts assigns a number again that its pre-prepare on disk has',
    file: `${folder}/recovery.ts`,
    find: 'state.nextHeight = Math.max(state.nextHeight, slot.height + 1)\n',
    replace: '',
    finder: tests(crashes, paper),
  },
  {
    name: 'r12-asked-view-forgotten',
    title: 'a replica that restarts votes again in the view that it had asked to leave',
    file: `${folder}/recovery.ts`,
    find: '  if (own === null) return\n',
    replace: '  if (own === null || own.persisted > 0) return\n',
    finder: tests(crashes, views, pitfalls),
  },
  {
    name: 'proposals-below-the-base',
    title: 'proposals are accepted at heights that the checkpoint of the new view has settled',
    file: `${folder}/state.ts`,
    find: 'return height > low && height > base && height <= high(state)',
    replace: 'return height > low && height >= base - base && height <= high(state)',
    finder: tests(hostile),
  },
  {
    name: 'waits-for-this-very-view',
    title: 'replicas that ask for v and for v+1 wait for each other for ever',
    file: `${folder}/view-change-intake.ts`,
    find: 'viewChange.view >= state.view)',
    replace: 'viewChange.view === state.view)',
    finder: tests(losses),
  },
  {
    name: 'b2-view-change-said-once',
    title: 'a view change that is lost is not sent again',
    file: `${folder}/status-exchange.ts`,
    find: 'effects.broadcast(state.asked.viewChange)',
    replace: 'state.asked = { ...state.asked }',
    finder: tests(losses, pitfalls),
  },
  {
    name: 'r3-commits-not-waited-for',
    title: 'a read does not wait for what this replica has sent commits for',
    file: `${folder}/pbft.ts`,
    find: 'Math.max(state.committedHeight, state.decidedHeight)',
    replace: 'state.decidedHeight',
    finder: tests(paper, pitfalls),
  },
  {
    name: 'b24-one-claim-believed',
    title: 'what one replica claims to have decided is fetched',
    file: 'src/kernel/catching-up.ts',
    find: 'ahead[membership.oneCorrect - 1]',
    replace: 'ahead[0]',
    finder: tests(pitfalls, 'test/protocols/pbft/lying-servers.test.ts', hostile),
  },
  {
    name: 'r20-slow-application-blamed',
    title: 'a primary is blamed while the application is behind',
    file: `${folder}/requests.ts`,
    find: 'decidedHeight - executedHeight >= parameters.flow.executionLagBlocksMax)',
    replace: 'decidedHeight - executedHeight > 4 * parameters.flow.executionLagBlocksMax)',
    finder: tests(pitfalls, hostile),
  },
  {
    name: 'b16-one-wish-suffices',
    title: 'the wish of one replica changes the primary',
    file: `${folder}/suspicion.ts`,
    find: 'wishers(state).length >= state.membership.oneCorrect',
    replace: 'wishers(state).length >= 1',
    finder: tests(pitfalls, 'test/protocols/pbft/slow-links.test.ts'),
  },
  {
    name: 'watermark-above-the-decided',
    title: 'the watermark moves over what this replica has not decided',
    file: `${folder}/checkpoints.ts`,
    find: 'certified.header.height > state.decidedHeight',
    replace: 'certified.header.height > state.decidedHeight + 1_000_000',
    finder: tests(paper, views, pitfalls),
  },
  {
    name: 'fetched-payload-unchecked',
    title: 'a payload that was fetched is taken for the one that was proposed',
    file: `${folder}/agreement.ts`,
    find: 'if (!equalBytes(payloadDigest(state.ports.hasher, payload), digest)) return\n',
    replace: '',
    finder: tests(kept),
  },
  {
    name: 'late-pongs-counted',
    title: 'the timeout follows the round trip to the farthest voter, who may be a liar',
    file: 'src/kernel/round-trips.ts',
    find: 'measured[membership.quorum - 2]',
    replace: 'measured[measured.length - 1]',
    finder: tests(links),
  },
  {
    name: 'early-pongs-counted',
    title: "a short round trip brings the timeout below the network file's",
    file: 'src/kernel/round-trips.ts',
    find: 'Math.max(timeoutMsBase, Math.ceil(roundTrips * (roundTripMs ?? 0)))',
    replace: 'Math.ceil(roundTrips * (roundTripMs ?? timeoutMsBase))',
    finder: tests(links),
  },
  {
    name: 'slow-timeout-outlives-slow-links',
    title: 'a request timer that was armed on slow links is not armed anew when they are fast',
    file: `${folder}/pbft.ts`,
    find: 'if (measureRoundTrips(step.state, roundTripsPerTimeout, step.effects) < 0) step.state.requestArmed = false\n',
    replace: 'measureRoundTrips(step.state, roundTripsPerTimeout, step.effects)\n',
    finder: tests(links),
  },
  {
    name: 'refused-new-view-judged-again',
    title: 'a new view that is refused is judged again each time that it comes',
    file: `${folder}/new-views.ts`,
    find: '  state.refused.set(primary, Math.max(view, state.refused.get(primary) ?? 0))\n',
    replace: '',
    finder: tests(kept),
  },
]
