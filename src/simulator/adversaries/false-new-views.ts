// A new primary that makes of the view changes what it likes.

import type { NewView, PbftMessage } from '../../protocols/pbft/messages.ts'
import type { AdversaryOptions, Behaviour } from './behaviour.ts'
import { Pen } from './pen.ts'
import { drawShare, half } from './victims.ts'

function falsify(message: NewView, pen: Pen, { random }: AdversaryOptions): NewView {
  const { view, cited, prePrepares } = message
  const last = prePrepares.at(-1)
  switch (random.below(5)) {
    case 0:
      return pen.newView({ view, cited: cited.slice(1), prePrepares })
    case 1:
      return pen.newView({ view, cited, prePrepares: prePrepares.slice(0, -1) })
    case 2:
      return pen.newView({ view, cited, prePrepares: last === undefined ? [] : [...prePrepares, last] })
    case 3:
      return pen.newView({
        view,
        cited: cited.map(({ sender }) => ({ sender, digest: pen.inventedDigest() })),
        prePrepares,
      })
    default:
      return pen.newView({
        view,
        cited,
        prePrepares: prePrepares.map((signature) => signature.map((byte) => byte ^ 1)),
      })
  }
}

export const falseNewViews: Behaviour<PbftMessage> = {
  name: 'false-new-views',
  title: 'begins views with other blocks than those that follow from the view changes',
  create: (options) => {
    const pen = new Pen(options)
    const others = options.random.chance(1, 2) ? half(options) : new Set(options.others)
    const lies = drawShare(options.random)
    return {
      send: (message, to, post) => {
        const isFalse = message.kind === 'new-view' && others.has(to) && lies()
        post(to, isFalse ? falsify(message, pen, options) : message)
      },
    }
  },
}

/** Of views that are far away, or next to come: they cite what nobody has said. */
export const inventedNewViews: Behaviour<PbftMessage> = {
  name: 'invented-new-views',
  title: 'begins views of its own, far away ones too, that cite view changes which nobody has sent',
  create: (options) => {
    const pen = new Pen(options)
    const { self, membership, others, random } = options
    const { voters, quorum } = membership
    return {
      tickMs: random.pick([50, 300]),
      tick: (post) => {
        const round = random.pick([0, 1, 5, 100, 2 ** 32, 2 ** 40])
        const view = round * voters.length + voters.indexOf(self)
        const cited = voters.slice(0, quorum).map((sender) => ({ sender, digest: pen.inventedDigest() }))
        const newView = pen.newView({ view, cited, prePrepares: [] })
        for (const to of others) post(to, newView)
      },
    }
  },
}
