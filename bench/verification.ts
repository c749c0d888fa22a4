// What a signed envelope costs the loop: verified within the call, and on other threads. `npm run build` is not needed:
// npx tsc -p tsconfig.tools.json && node .tools/bench/verification.js (Node 24 tells the loop's own CPU; before, the process's).

import { nodeEd25519 } from '../src/crypto/node/ed25519-suite.ts'
import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { clientRequestCodec } from '../src/kernel/client-messages.ts'
import type { Verifier } from '../src/kernel/crypto-ports.ts'
import { envelopeDomain, envelopeScope, signingBytes } from '../src/kernel/domains.ts'
import { envelopeCodec, signedPart, type OperationsEnvelope } from '../src/kernel/envelope.ts'
import type { Epoch } from '../src/kernel/membership.ts'
import { defaultParameters } from '../src/kernel/parameters.ts'
import { EnvelopeChecks } from '../src/replica/core/envelope-checks.ts'
import { Verification } from '../src/replica/verification.ts'
import { decode, encode } from '../src/wire/codec.ts'

const envelopes = 3000
const epoch = { network: new Uint8Array(32), parameters: defaultParameters('required') } as unknown as Epoch
const signer = nodeEd25519.signer(new Uint8Array(32).fill(1))

function cpuMs(): number {
  const { user, system } =
    (process as { threadCpuUsage?: () => NodeJS.CpuUsage }).threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}

function request(number: number, operations: number): Uint8Array {
  const envelope: OperationsEnvelope = {
    kind: 'operations',
    client: signer.publicKey,
    session: { height: 1, index: 0 },
    firstNumber: number,
    acknowledgedNumber: 0,
    operations: Array.from({ length: operations }, () => new Uint8Array(128)),
    signature: new Uint8Array(64),
  }
  const encoded = encode(envelopeCodec, envelope)
  const message = signingBytes(
    envelopeDomain('operations'),
    envelopeScope(epoch.network),
    signedPart(encoded, envelope),
  )
  const signed = encode(envelopeCodec, { ...envelope, signature: signer.sign(message) })
  return encode(clientRequestCodec, { kind: 'submit', envelopes: [signed] })
}

/** As the core does it, from the client's bytes to the verdict. */
function check(verifier: Verifier): (bytes: Uint8Array) => void {
  const checks = new EnvelopeChecks({ epoch, hasher: nodeHasher, verifier })
  return (bytes) => {
    const message = decode(clientRequestCodec, bytes)
    const [encoded] = message.ok && message.value.kind === 'submit' ? message.value.envelopes : []
    const envelope = decode(envelopeCodec, encoded!)
    if (!envelope.ok || !checks.authentic(envelope.value, encoded!)) throw new Error('not authentic')
  }
}

for (const operations of [1, 10, 100]) {
  const requests = Array.from({ length: envelopes }, (_, index) => request(index, operations))
  const inCall = check(nodeEd25519)
  const beganMs = cpuMs()
  for (const bytes of requests) inCall(bytes)
  const inCallMs = cpuMs() - beganMs
  const threadsMs = await onThreads(requests)
  const perSecond = (ms: number): number => Math.round((envelopes * operations * 1000) / ms)
  process.stdout.write(
    `${operations} operations an envelope: ${perSecond(inCallMs)} operations a CPU second of the loop within the call, ${perSecond(threadsMs)} on threads; ${((inCallMs * 1000) / envelopes).toFixed(1)} and ${((threadsMs * 1000) / envelopes).toFixed(1)} µs an envelope\n`,
  )
}

async function onThreads(requests: readonly Uint8Array[]): Promise<number> {
  let left = requests.length
  let next = 0
  let deliver: (bytes: Uint8Array) => void = () => {}
  let finish: () => void = () => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const verification = new Verification({
    epoch,
    guarded: (step) => step(),
    turn: () => {},
    respond: () => {},
    deliver: (_connection, bytes) => {
      deliver(bytes)
      if (--left === 0) finish()
      else if (next < requests.length) verification.clients.message(1, requests[next++]!)
    },
  })
  deliver = check(verification.verifier)
  const beganMs = cpuMs()
  while (next < 64) verification.clients.message(1, requests[next++]!)
  await finished
  const tookMs = cpuMs() - beganMs
  verification.close()
  return tookMs
}
