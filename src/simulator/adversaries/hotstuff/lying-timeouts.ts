// Lies about the highest certificate while views are given up, which is what the next leader has to build on.

import { viewMax, type HotstuffMessage, type Timeout } from '../../../protocols/hotstuff/messages.ts'
import type { View } from '../../../kernel/ids.ts'
import type { QuorumCertificate } from '../../../kernel/proof.ts'
import type { Behaviour } from '../behaviour.ts'
import { drawShare, half } from '../victims.ts'
import { remembering, type ChainMemory } from './chain-memory.ts'

/** Signed for a certificate that there is, and is older than what it has. */
function staleTimeout(memory: ChainMemory, { view, certificate }: Timeout, skipped: number): Timeout {
  const places = memory.placesBelow(certificate.view)
  const older = places[Math.min(skipped, places.length - 1)]!.certificate
  return memory.pen.timeout(view, older.view, older)
}

export const staleTimeouts: Behaviour<HotstuffMessage> = {
  name: 'stale-certificates',
  title: 'gives views up with an older certificate than it has',
  create: (options) =>
    remembering(options, (memory) => {
      const lies = drawShare(options.random)
      const skipped = options.random.pick([0, 2, Infinity])
      return {
        send: (message, to, post) =>
          post(to, message.kind === 'timeout' && lies() ? staleTimeout(memory, message, skipped) : message),
      }
    }),
}

export const equivocatingTimeouts: Behaviour<HotstuffMessage> = {
  name: 'equivocating-timeouts',
  title: 'gives a view up with one certificate to one half of the others, and with another to the other half',
  create: (options) =>
    remembering(options, (memory) => {
      const others = half(options)
      const lies = drawShare(options.random)
      return {
        send: (message, to, post) => {
          if (message.kind !== 'timeout' || !others.has(to) || !lies()) return post(to, message)
          post(to, staleTimeout(memory, message, 0))
          // Both to one: who looks has a proof.
          if (options.random.chance(1, 4)) post(to, message)
        },
      }
    }),
}

/** Gives up the view that it is in, and the next: of one alone nobody takes notice. */
export const givingEveryViewUp: Behaviour<HotstuffMessage> = {
  name: 'restless',
  title: 'gives every view up',
  create: (options) =>
    remembering(options, (memory) => {
      const { random, others } = options
      return {
        tickMs: random.pick([20, 100, 500]),
        tick: (post) => {
          const { highest } = memory
          const view = Math.max(highest.view, memory.view + random.below(3))
          const timeout = memory.pen.timeout(view, highest.view, highest)
          for (const to of others) post(to, timeout)
        },
      }
    }),
}

const hugeViews = [viewMax, 2 ** 32 + 1, 1000]

export const hugeTimeouts: Behaviour<HotstuffMessage> = {
  name: 'huge-views',
  title: 'gives up views that are far away',
  create: (options) =>
    remembering(options, (memory) => {
      const { random, others } = options
      return {
        tickMs: random.pick([50, 400]),
        tick: (post) => {
          const { highest } = memory
          const view = random.pick(hugeViews) - random.below(2)
          if (view < highest.view) return
          const timeout = memory.pen.timeout(view, highest.view, highest)
          for (const to of others) post(to, timeout)
        },
      }
    }),
}

/** The signatures of others stand under something else, or nobody's do. */
function forge(certificate: QuorumCertificate, view: View, memory: ChainMemory, way: number): QuorumCertificate {
  const { votes } = certificate
  switch (way) {
    case 0:
      // What it says is true, and nobody has signed it so.
      return {
        ...certificate,
        votes: votes.map(({ replica, signature }) => ({ replica, signature: signature.map((byte) => byte ^ 1) })),
      }
    case 1:
      return { ...certificate, view: Math.max(1, view) }
    case 2:
      return { ...certificate, votes: votes.slice(1) }
    default:
      return { ...certificate, votes: memory.placesBelow(certificate.view)[0]!.certificate.votes }
  }
}

export const forgedChainCertificates: Behaviour<HotstuffMessage> = {
  name: 'forged-certificates',
  title: 'proposes, gives up and tells with certificates that nobody has signed',
  create: (options) =>
    remembering(options, (memory) => {
      const { random } = options
      const { pen } = memory
      const lies = drawShare(random)
      const forged = (certificate: QuorumCertificate, view: View): QuorumCertificate =>
        forge(certificate, view, memory, random.below(4))
      return {
        send: (message, to, post) => {
          if (message.kind === 'newest' && lies()) {
            return post(to, { ...message, certificate: forged(message.certificate, message.certificate.view + 1) })
          }
          if (message.kind === 'timeout' && lies()) {
            const certificate = forged(message.certificate, message.view)
            return post(to, pen.timeout(message.view, certificate.view, certificate))
          }
          if (memory.isOwn(message) && lies()) {
            const justify = forged(message.justify, message.view - 1)
            return post(to, pen.proposal({ ...message, justify, timeouts: null }))
          }
          post(to, message)
        },
      }
    }),
}

/** With the word of others that they have given a view up, and its own for a certificate that there is not. */
export const falseHighestCertificates: Behaviour<HotstuffMessage> = {
  name: 'false-highest-certificates',
  title: 'claims certificates of views that have none, beside the genuine timeouts of others',
  create: (options) =>
    remembering(options, (memory) => {
      const { random, others } = options
      const { pen } = memory
      const few = half(options)
      const lies = drawShare(random)
      const timeoutsOf = (view: View) => memory.timeoutsOf(view, view)
      return {
        send: (message, to, post) => {
          if (!few.has(to) || !lies()) return post(to, message)
          if (message.kind === 'status') return post(to, { ...message, certificateView: message.view - 1 })
          if (message.kind === 'timeout') return post(to, pen.timeout(message.view, message.view, message.certificate))
          if (memory.isOwn(message) && message.timeouts !== null) {
            const timeouts = timeoutsOf(message.timeouts.view)
            return post(to, timeouts === null ? message : pen.proposal({ ...message, timeouts }))
          }
          post(to, message)
        },
        tickMs: random.pick([20, 100]),
        tick: (post) => {
          const timeouts = timeoutsOf(memory.view)
          if (timeouts === null) return
          for (const to of others) post(to, { kind: 'newest', certificate: memory.highest, timeouts })
        },
      }
    }),
}
