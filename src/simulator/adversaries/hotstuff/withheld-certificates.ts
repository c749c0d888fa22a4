// A leader that collects the votes of others and keeps the certificate to itself, or to a few, and tells it when it likes.

import type { QuorumCertificate } from '../../../kernel/proof.ts'
import type { HotstuffMessage } from '../../../protocols/hotstuff/messages.ts'
import type { Behaviour } from '../behaviour.ts'
import { drawShare, fewOthers } from '../victims.ts'
import { remembering } from './chain-memory.ts'

const keptMax = 64

export const withheldCertificates: Behaviour<HotstuffMessage> = {
  name: 'withheld-certificates',
  title: 'collects votes and tells the certificate to nobody, to a few, or late',
  create: (options) =>
    remembering(options, (memory) => {
      const { random, others } = options
      const { pen } = memory
      const few = random.chance(1, 2) ? fewOthers(options) : new Set<number>()
      const keeps = drawShare(random)
      const tellsLate = random.chance(1, 2)
      const heard = new Set<number>()
      const withheld = new Map<number, QuorumCertificate>()
      /** Nobody else has said it so far. */
      const isWithheld = (certificate: QuorumCertificate): boolean => {
        const { view } = certificate
        if (heard.has(view) || view === 0) return false
        if (!withheld.has(view)) {
          if (!keeps()) return !heard.add(view)
          withheld.set(view, certificate)
          if (withheld.size > keptMax) withheld.delete(withheld.keys().next().value!)
        }
        return true
      }
      return {
        receive: (message) => {
          if (message.kind === 'proposal') heard.add(message.justify.view)
          if (message.kind === 'newest' || message.kind === 'timeout') heard.add(message.certificate.view)
          return true
        },
        send: (message, to, post) => {
          if (few.has(to)) return post(to, message)
          if (message.kind === 'proposal' && isWithheld(message.justify)) return
          if (message.kind === 'newest' && isWithheld(message.certificate)) return
          if (message.kind === 'timeout' && isWithheld(message.certificate)) {
            const older = memory
              .placesBelow(message.certificate.view)
              .find(({ certificate }) => !withheld.has(certificate.view))!.certificate
            return post(to, pen.timeout(message.view, older.view, older))
          }
          post(to, message)
        },
        tickMs: random.pick([100, 500]),
        tick: (post) => {
          if (!tellsLate || withheld.size === 0) return
          const certificate = random.pick([...withheld.values()])
          post(random.pick(others), { kind: 'newest', certificate, timeouts: null })
        },
      }
    }),
}
