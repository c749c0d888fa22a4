// Lies about what was prepared, which is what a new view is made of.

import type { PbftMessage, PreparedCertificate, ViewChange } from '../../protocols/pbft/messages.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Attack, AdversaryOptions, Behaviour } from './behaviour.ts'
import { Pen } from './pen.ts'
import { drawShare, half } from './victims.ts'

type Body = Omit<ViewChange, 'kind' | 'signature'>

/** Only its own view changes: those of others that it hands on are signed. */
function rewriting(
  options: AdversaryOptions,
  rewrite: (body: ViewChange) => Body,
  isConcerned: (to: ReplicaId) => boolean = () => true,
): Attack<PbftMessage> {
  const pen = new Pen(options)
  const lies = drawShare(options.random)
  return {
    send: (message, to, post) => {
      const mine = message.kind === 'view-change' && message.sender === options.self
      post(to, mine && isConcerned(to) && lies() ? pen.viewChange(rewrite(message)) : message)
    },
  }
}

export const droppingCertificates: Behaviour<PbftMessage> = {
  name: 'dropping-certificates',
  title: 'asks for a view change as if it had prepared nothing, and knew no checkpoint',
  create: (options) => {
    const dropsCheckpoint = options.random.chance(1, 2)
    return rewriting(options, (body) => ({
      ...body,
      prepared: [],
      checkpoint: dropsCheckpoint ? null : body.checkpoint,
    }))
  },
}

export const equivocatingViewChanges: Behaviour<PbftMessage> = {
  name: 'equivocating-view-changes',
  title: 'tells one half of the others that it has prepared nothing, and the other half what it has',
  create: (options) => {
    const others = half(options)
    return rewriting(
      options,
      (body) => ({ ...body, prepared: body.prepared.filter(() => options.random.chance(1, 3)) }),
      (to) => others.has(to),
    )
  },
}

export const staleCertificates: Behaviour<PbftMessage> = {
  name: 'stale-certificates',
  title: 'claims the first certificate that it ever had for a height, not the newest',
  create: (options) => {
    const first = new Map<number, PreparedCertificate>()
    return rewriting(options, (body) => {
      for (const certificate of body.prepared) {
        if (!first.has(certificate.header.height)) first.set(certificate.header.height, certificate)
      }
      return {
        ...body,
        prepared: body.prepared.map((certificate) => first.get(certificate.header.height) ?? certificate),
      }
    })
  },
}

/** Certificates that nobody has signed: of another block, or of a higher view. */
export const forgedCertificates: Behaviour<PbftMessage> = {
  name: 'forged-certificates',
  title: 'claims to have prepared blocks that nobody proposed, with the signatures of others',
  create: (options) => {
    const { random } = options
    const forge = (certificate: PreparedCertificate, view: number): PreparedCertificate => {
      const { header } = certificate
      switch (random.below(4)) {
        case 3:
          // What it says is true, and nobody has signed it so.
          return {
            ...certificate,
            prepares: certificate.prepares.map(({ replica, signature }) => ({
              replica,
              signature: signature.map((byte) => byte ^ 1),
            })),
          }
        case 0:
          return { ...certificate, header: { ...header, timestamp: header.timestamp + 1 } }
        case 1:
          return { ...certificate, view: Math.max(0, view - 1) }
        default:
          return { ...certificate, prepares: certificate.prepares.slice(0, 1) }
      }
    }
    return rewriting(options, (body) => ({
      ...body,
      prepared: body.prepared.map((certificate) => forge(certificate, body.view)),
    }))
  },
}

const hugeViews = [2 ** 40, 2 ** 50, 2 ** 32 + 1, 1000]

export const hugeViewChanges: Behaviour<PbftMessage> = {
  name: 'huge-views',
  title: 'asks for views that are far away',
  create: (options) => {
    const pen = new Pen(options)
    const { self, random, others } = options
    return {
      tickMs: random.pick([50, 400]),
      tick: (post) => {
        const view = random.pick(hugeViews) - random.below(2)
        const viewChange = pen.viewChange({ view, sender: self, checkpoint: null, prepared: [] })
        for (const to of others) post(to, random.chance(3, 4) ? viewChange : pen.wish(view))
      },
    }
  },
}

/** Asks for the next view, and the next, as fast as it can; and wishes them. */
export const restless: Behaviour<PbftMessage> = {
  name: 'restless',
  title: 'asks for the next view again and again',
  create: (options) => {
    const pen = new Pen(options)
    const { self, random, others } = options
    let view = 0
    const learn = (message: PbftMessage): void => {
      if (message.kind === 'status' || message.kind === 'new-view') view = Math.max(view, Math.min(message.view, 1e6))
    }
    return {
      receive: (message) => {
        learn(message)
        return true
      },
      tickMs: random.pick([100, 500]),
      tick: (post) => {
        const asked = view + 1 + random.below(2)
        const viewChange = pen.viewChange({ view: asked, sender: self, checkpoint: null, prepared: [] })
        for (const to of others) {
          post(to, viewChange)
          post(to, pen.wish(view))
        }
      },
    }
  },
}
