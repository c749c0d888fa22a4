// Signs states that nobody has, to all or to a half of the others. Any protocol's: checkpoints are the host's.

import { decode, encode } from '../../wire/codec.ts'
import { signingBytes } from '../../kernel/domains.ts'
import { executedHeaderCodec, type ExecutedHeader } from '../../kernel/executed-header.ts'
import { checkpointMessageCodec } from '../../replica/checkpoints/checkpoint-messages.ts'
import { channel } from '../../replica/driver/frame.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { Attack, AdversaryOptions, Behaviour } from './behaviour.ts'
import { drawShare, half } from './victims.ts'

function signing(options: AdversaryOptions, isConcerned: (to: ReplicaId) => boolean): Attack<never> {
  const { epoch, signer, random } = options
  const lies = drawShare(random)
  const falsified = (header: ExecutedHeader): ExecutedHeader =>
    random.chance(1, 2)
      ? { ...header, stateRoot: header.stateRoot?.map((byte) => byte ^ 1) ?? null }
      : { ...header, time: header.time + 1 }
  return {
    hostItem: (item, to) => {
      if (item.channel !== channel.checkpoint || !isConcerned(to) || !lies()) return [item]
      const message = decode(checkpointMessageCodec, item.body)
      if (!message.ok) return [item]
      if (message.value.kind === 'certificate') {
        const { checkpoint } = message.value
        const signatures = checkpoint.signatures.slice(1)
        const body = encode(checkpointMessageCodec, { kind: 'certificate', checkpoint: { ...checkpoint, signatures } })
        return [{ ...item, body }]
      }
      if (message.value.kind !== 'vote') return [item]
      const header = falsified(message.value.header)
      const scope = { network: epoch.network, epoch: epoch.number, protocol: epoch.protocol }
      const signature = signer.sign(signingBytes('checkpoint', scope, encode(executedHeaderCodec, header)))
      const lie = { ...item, body: encode(checkpointMessageCodec, { ...message.value, header, signature }) }
      // Both to one: who looks has a proof.
      return random.chance(1, 4) ? [item, lie] : [lie]
    },
  }
}

export const falseCheckpoints: Behaviour<never> = {
  name: 'false-checkpoints',
  title: 'signs states that nobody has',
  create: (options) => signing(options, () => true),
}

export const equivocatingCheckpoints: Behaviour<never> = {
  name: 'equivocating-checkpoints',
  title: 'signs the state to one half of the others, and another state to the other half',
  create: (options) => {
    const others = half(options)
    return signing(options, (to) => others.has(to))
  },
}
