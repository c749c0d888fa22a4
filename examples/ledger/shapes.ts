// What is read from JSON has the shape that its type says: exactly these members, each of its kind.

export type Shape = Readonly<Record<string, (value: unknown) => boolean>>

/** An object whose `kind` is one of the names, and which has the members of that shape and no others. */
export function hasOneOf(value: unknown, shapes: Readonly<Record<string, Shape>>): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { kind, ...members } = value as Record<string, unknown>
  if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) return false
  const shape = shapes[kind]!
  const names = Object.keys(members)
  return names.length === Object.keys(shape).length && names.every((name) => shape[name]?.(members[name]) === true)
}

export function isAccountName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z0-9][a-z0-9/-]{0,63}$/.test(value)
}

/** Whole units, and at least one. */
export function isAmount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0
}
