// The one text for all files that mean the same, which is hashed and signed; and the text that is written for people.

import { toHex } from './hex.ts'
import type { Epoch } from './membership.ts'
import { parameterBounds, type Parameters } from './parameters.ts'

export const networkFileVersion = 1

/**
 * The one text for all network files that mean the same; its hash is the network's id. Members ascend by id and say everything;
 * parameters are named only where they differ from their defaults, so that a release with new parameters does not rename the
 * networks that exist. Defaults are therefore part of the format: one that changes needs a new version of it. Approvals stand
 * outside: they come one by one, and the id may not move while they do.
 */
export function canonicalNetworkText(name: string, suite: string, epoch: Omit<Epoch, 'network'>): string {
  return canonicalText(networkFields(name, suite, epoch))
}

/** What a network file says, with nothing left to defaults but parameters. */
export function networkFields(name: string, suite: string, epoch: Omit<Epoch, 'network'>): object {
  const { protocol, members, parameters } = epoch
  const { envelopeSignatures } = parameters
  const version = networkFileVersion
  return { version, name, protocol, suite, envelopeSignatures, parameters: overridesOf(parameters), members }
}

function overridesOf(parameters: Parameters): object {
  const overrides: Record<string, Record<string, unknown>> = {}
  for (const [group, bounds] of Object.entries(parameterBounds)) {
    const values = parameters[group as keyof typeof parameterBounds] as unknown as Record<string, unknown>
    for (const [name, bound] of Object.entries(bounds) as [string, { default: unknown }][]) {
      if (values[name] !== bound.default) (overrides[group] ??= {})[name] = values[name]
    }
  }
  return overrides
}

/** JSON with names in the order of their characters, bytes as hexadecimal, and no white space. */
export function canonicalText(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(toHex(value))
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalText(item)}`).join(',')}}`
}

/** The same for a person: names in the order given, two blanks a level, bytes as hexadecimal. */
export function prettyText(value: object): string {
  return `${JSON.stringify(value, (_, item: unknown) => (item instanceof Uint8Array ? toHex(item) : item), 2)}\n`
}

/** Names and addresses are checked to be ASCII, and the rest is our own. */
export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
