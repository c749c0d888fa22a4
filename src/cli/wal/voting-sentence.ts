// One record of a protocol whose replicas sign what they vote for, in a few words.

import type { HotstuffRecord } from '../../protocols/hotstuff/records.ts'
import type { PbftRecord } from '../../protocols/pbft/records.ts'
import { hotstuffSentence } from './hotstuff-sentence.ts'
import { pbftSentence } from './pbft-sentence.ts'
import { isOfHotstuff } from './record-codec.ts'

export function votingSentence(record: PbftRecord | HotstuffRecord): string {
  return isOfHotstuff(record) ? hotstuffSentence(record) : pbftSentence(record)
}
