// One of hotstuff's records, in a few words.

import type { QuorumCertificate } from '../../kernel/proof.ts'
import type { HotstuffRecord } from '../../protocols/hotstuff/records.ts'
import { signers } from './signers.ts'

export function hotstuffSentence(record: HotstuffRecord): string {
  switch (record.kind) {
    case 'voted': {
      const { header, view, payload, justify, timeouts } = record.proposal
      const given = timeouts === null ? '' : `, timeouts of view ${timeouts.view} by ${signers(timeouts.timeouts)}`
      const lock = record.lock === null ? '' : `, locked on view ${record.lock.view}`
      return `vote for height ${header.height}, view ${view}, ${payload.length} bytes of payload, on ${shown(justify)}${given}${lock}`
    }
    case 'timeout':
      return `gives up view ${record.timeout.view}, with ${shown(record.timeout.certificate)}`
    case 'timeouts': {
      const { timeouts, certificate } = record
      return `view ${timeouts.view} given up by ${signers(timeouts.timeouts)}, with ${shown(certificate)}`
    }
    case 'decided': {
      const { headers, certificates } = record
      const [first] = headers
      return `decided height ${first?.block.height ?? '-'}, view ${first?.view ?? '-'}, by ${certificates.map(shown).join(', ')}`
    }
    case 'promises': {
      const { votedView, certificate, certifiedHeight } = record
      return `has voted up to view ${votedView} and certificates up to height ${certifiedHeight}, with ${shown(certificate)}`
    }
  }
}

function shown({ view, votes }: QuorumCertificate): string {
  return votes.length === 0
    ? 'the certificate that all begin with'
    : `the certificate of view ${view} by ${signers(votes)}`
}
