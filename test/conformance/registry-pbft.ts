// What pbft sends, signs and stores.

import {
  newViewBodyCodec,
  newViewCodec,
  pbftMessageCodec,
  preparedCertificateCodec,
  statementCodec,
  viewChangeBodyCodec,
  viewChangeCodec,
  wishBodyCodec,
} from '../../src/protocols/pbft/messages.ts'
import { pbftRecordCodec } from '../../src/protocols/pbft/records.ts'
import { replicaId } from '../../src/kernel/ids.ts'
import { block, fill, header, one, type Registered } from './registered.ts'

const signature = fill(64, 0x51)
const statement = { view: 2 ** 50, height: 7, digest: fill(32, 0xd2) }
const votes = [
  { replica: replicaId(1), signature },
  { replica: replicaId(3), signature: fill(64, 0x53) },
]
const certificate = { view: 1, header, signature, prepares: votes }
const checkpoint = {
  header: {
    epoch: 1,
    height: 6,
    parent: fill(32, 1),
    blockDigest: fill(32, 2),
    resultsRoot: fill(32, 3),
    stateRoot: fill(32, 4),
    time: 9,
  },
  signatures: votes,
  block: { ...header, height: 6 },
  proof: { kind: 'pbft', view: 1, blockDigest: fill(32, 2), commits: votes },
}
const viewChangeBody = { view: 2, sender: replicaId(3), checkpoint, prepared: [certificate] }
const viewChange = { ...viewChangeBody, signature }
const newViewBody = {
  view: 2,
  cited: [
    { sender: replicaId(1), digest: fill(32, 0xc1) },
    { sender: replicaId(3), digest: fill(32, 0xc3) },
  ],
  prePrepares: [signature],
}
const newView = { ...newViewBody, signature }

export const pbftRegistry: readonly Registered[] = [
  one('statementCodec', statementCodec, statement),
  one('preparedCertificateCodec', preparedCertificateCodec, certificate),
  one('viewChangeBodyCodec', viewChangeBodyCodec, viewChangeBody),
  one('viewChangeBodyCodec without a checkpoint', viewChangeBodyCodec, { ...viewChangeBody, checkpoint: null }),
  one('newViewBodyCodec', newViewBodyCodec, newViewBody),
  one('wishBodyCodec', wishBodyCodec, { view: 2 }),
  one('viewChangeCodec', viewChangeCodec, viewChange),
  one('newViewCodec', newViewCodec, newView),
  one('pbftMessageCodec pre-prepare', pbftMessageCodec, { kind: 'pre-prepare', view: 2, ...block, signature }),
  one('pbftMessageCodec prepare', pbftMessageCodec, { kind: 'prepare', ...statement, signature }),
  one('pbftMessageCodec commit', pbftMessageCodec, { kind: 'commit', ...statement, signature }),
  one('pbftMessageCodec view change', pbftMessageCodec, { kind: 'view-change', ...viewChange }),
  one('pbftMessageCodec new view', pbftMessageCodec, { kind: 'new-view', ...newView }),
  one('pbftMessageCodec ask view changes', pbftMessageCodec, {
    kind: 'ask-view-changes',
    view: 2,
    senders: [replicaId(1), replicaId(4)],
  }),
  one('pbftMessageCodec status', pbftMessageCodec, {
    kind: 'status',
    view: 2,
    active: true,
    decidedHeight: 7,
    servesFrom: 4,
    stages: [3, 2, 1, 0],
    asks: false,
  }),
  one('pbftMessageCodec wish', pbftMessageCodec, { kind: 'wish', view: 2, signature }),
  one('pbftRecordCodec proposal', pbftRecordCodec, { kind: 'proposal', view: 2, ...block, signature }),
  one('pbftRecordCodec proposal of a known payload', pbftRecordCodec, {
    kind: 'proposal',
    view: 2,
    header,
    signature,
    payload: null,
  }),
  one('pbftRecordCodec prepared', pbftRecordCodec, { kind: 'prepared', certificate }),
  one('pbftRecordCodec decided', pbftRecordCodec, { kind: 'decided', ...block, view: 2, commits: votes }),
  one('pbftRecordCodec view change', pbftRecordCodec, {
    kind: 'view-change',
    viewChange: { kind: 'view-change', ...viewChange },
  }),
  one('pbftRecordCodec new view', pbftRecordCodec, { kind: 'new-view', newView: { kind: 'new-view', ...newView } }),
  one('pbftRecordCodec checkpoint', pbftRecordCodec, { kind: 'checkpoint', checkpoint }),
]
