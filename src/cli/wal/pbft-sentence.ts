// One of pbft's records, in a few words.

import type { PbftRecord } from '../../protocols/pbft/records.ts'
import { signers } from './signers.ts'

export function pbftSentence(record: PbftRecord): string {
  switch (record.kind) {
    case 'proposal': {
      const payload =
        record.payload === null ? 'payload in an earlier record' : `${record.payload.length} bytes of payload`
      return `proposal of height ${record.header.height}, view ${record.view}, ${payload}`
    }
    case 'prepared': {
      const { header, view } = record.certificate
      return `prepared height ${header.height}, view ${view}`
    }
    case 'decided':
      return `decided height ${record.header.height}, view ${record.view}, commits of ${signers(record.commits)}`
    case 'view-change': {
      const { sender, view, prepared } = record.viewChange
      return `replica ${sender} asks for view ${view}, ${prepared.length} prepared`
    }
    case 'new-view': {
      const { view, cited } = record.newView
      return `new view ${view}, asked for by ${cited.map(({ sender }) => sender).join(', ')}`
    }
    case 'checkpoint':
      return `checkpoint of height ${record.checkpoint.header.height}, signed by ${signers(record.checkpoint.signatures)}`
  }
}
