// What a frame works for, by the file it stands in. A frame of Node or V8 works for whoever called it: for the nearest of ours, or of a library.

export const cpuCategories = [
  'links',
  'signatures',
  'hashing',
  'log',
  'execution',
  'client',
  'protocol',
  'encoding',
  'garbage collection',
  'other',
] as const

export type CpuCategory = (typeof cpuCategories)[number]

/** The longest beginning of a path decides. Paths as below src/. */
const rooms: readonly (readonly [beginning: string, category: CpuCategory])[] = [
  ['network/', 'links'],
  ['network/node/client-links', 'client'],
  ['network/node/connect-client', 'client'],
  ['network/browser/', 'client'],
  ['crypto/', 'signatures'],
  ['crypto/node/sha256-hasher', 'hashing'],
  ['crypto/portable/sha256-hasher', 'hashing'],
  ['kernel/crypto-ports', 'signatures'],
  ['kernel/domains', 'signatures'],
  ['replica/verification', 'signatures'],
  ['replica/core/envelope-checks', 'signatures'],
  ['storage/', 'log'],
  ['replica/core/counted-log', 'log'],
  ['execution/', 'execution'],
  ['client/', 'client'],
  ['replica/client-intake', 'client'],
  ['replica/own-', 'client'],
  ['replica/core/client-gateway', 'client'],
  ['replica/core/gateway-reads', 'client'],
  ['replica/core/late-reads', 'client'],
  ['benchmark/', 'client'],
  ['protocols/', 'protocol'],
  ['kernel/', 'protocol'],
  ['replica/', 'protocol'],
  ['wire/', 'encoding'],
]

/** Libraries that only links use. What carries connections between replicas and to clients alike counts as links. */
const linkLibraries =
  /^(?:libp2p|@libp2p\/|@chainsafe\/|@multiformats\/|it-|uint8array|multiformats|@noble\/ciphers|race-)/

/** Of a frame; null where the one that called it decides. */
export function categoryOfFrame(name: string, url: string): CpuCategory | null {
  if (name === '(garbage collector)') return 'garbage collection'
  const library = libraryOf(url)
  if (library !== null) return linkLibraries.test(library) ? 'links' : libraryCategory(library)
  const path = pathOf(url)
  if (path === null) return null
  let longest: (typeof rooms)[number] | null = null
  for (const room of rooms) {
    if (path.startsWith(room[0]) && room[0].length > (longest?.[0].length ?? -1)) longest = room
  }
  return longest?.[1] ?? 'other'
}

/** Primitives work for whoever asked: the handshake of a link hashes too. */
function libraryCategory(library: string): CpuCategory | null {
  return library.startsWith('@noble/') ? null : 'other'
}

/** The package that a frame stands in; null for Node's, and for ours wherever it is installed. */
export function libraryOf(url: string): string | null {
  const at = url.lastIndexOf('node_modules/')
  if (at < 0) return null
  const parts = url.slice(at + 'node_modules/'.length).split('/')
  const name = parts[0]!.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!
  return name === 'quorate' ? null : name
}

/** Below our src/, compiled or not; null for what is not ours. */
export function pathOf(url: string): string | null {
  if (!url.startsWith('file:') || libraryOf(url) !== null) return null
  return /^.*\/(?:dist|src)\/(.+)$/.exec(url)?.[1] ?? null
}
