/**
 * What the store of snapshots costs on real files: a state written, opened, read, written again with a tenth of it changed, and compacted.
 * `node .tools/bench/snapshot-store.js --gib 1 --chunk-kib 64 [--dir FOLDER]`; the files are removed afterwards. Chunks are made as they
 * are written, so that the memory printed is the store's: what the process holds beyond what it held before the store was opened.
 */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { nodeHasher } from '../src/crypto/node/sha256-hasher.ts'
import { ChunkHasher } from '../src/execution/chunk-hasher.ts'
import type { Checkpoint } from '../src/kernel/checkpoint.ts'
import type { ManifestEntry } from '../src/kernel/manifest.ts'
import { openSnapshotFolder, type SnapshotFolder } from '../src/storage/node/open-snapshot-folder.ts'
import type { SnapshotError } from '../src/storage/snapshots/snapshot-error.ts'

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '1' },
    'chunk-kib': { type: 'string', default: '64' },
    dir: { type: 'string', default: tmpdir() },
  },
})
const chunkBytes = Number(values['chunk-kib']) * 1024
const chunkCount = Math.round((Number(values.gib) * 2 ** 30) / chunkBytes)
const mebibytes = (chunkCount * chunkBytes) / 2 ** 20
const folder = mkdtempSync(join(values.dir, 'quorate-bench-'))
const hasher = new ChunkHasher(nodeHasher)
const zeros = new Uint8Array(32)

/** Bytes that no disk compresses away, of which each chunk in each version has other ones. */
const pattern = randomBytes(chunkBytes)
function bytesOf(chunk: number, version: number): Uint8Array {
  const bytes = Uint8Array.from(pattern)
  new DataView(bytes.buffer).setUint32(0, chunk)
  bytes[4] = version
  return bytes
}

function idOf(chunk: number): Uint8Array {
  return new TextEncoder().encode(`run ${String(chunk).padStart(16, '0')}`)
}

function entryOf(chunk: number, version: number): ManifestEntry {
  const id = idOf(chunk)
  return { part: 4, id, digest: hasher.digest(4, id, bytesOf(chunk, version)), size: chunkBytes }
}

function checkpointOf(height: number): Checkpoint {
  const header = { epoch: 1, height, parent: zeros, blockDigest: zeros, resultsRoot: zeros, stateRoot: zeros, time: 1 }
  const block = { epoch: 1, height, timestamp: 1, payloadDigest: zeros }
  return { header, signatures: [], block, proof: { kind: 'raft', term: 1, index: height } }
}

let bytesHeld = 0
let bytesPeak = 0
function bytesNow(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
let watched = 0
function watchMemory(): void {
  // Asking costs more than a chunk does.
  if (watched++ % 64 !== 0) return
  bytesPeak = Math.max(bytesPeak, bytesNow() - bytesHeld)
}

async function measure(what: string, of: number, act: () => Promise<void>): Promise<void> {
  bytesPeak = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  await act()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const rate = of === 0 ? '' : `${(of / seconds).toFixed(0)} MiB/s, `
  const cpuSeconds = ((user + system) / 1e6).toFixed(2)
  console.log(
    `${what}: ${seconds.toFixed(2)} s (${cpuSeconds} s of CPU), ${rate}memory at most ${(bytesPeak / 2 ** 20).toFixed(0)} MiB above the start`,
  )
}

function open(): Promise<SnapshotFolder> {
  const fail = (error: { message: string }): never => {
    throw new Error(error.message)
  }
  return openSnapshotFolder(folder, {
    network: zeros,
    digestOf: ({ part, id }, bytes) => hasher.digest(part, id, bytes),
    listener: { full: fail, failed: fail },
  })
}

async function answered(ask: (done: (error: SnapshotError | null) => void) => void): Promise<void> {
  const error = await new Promise<SnapshotError | null>(ask)
  if (error !== null) throw new Error(error.message)
}

type Version = (chunk: number) => number

function entriesOf(versionOf: Version): ManifestEntry[] {
  return Array.from({ length: chunkCount }, (_, chunk) => entryOf(chunk, versionOf(chunk)))
}

async function save(
  { store }: SnapshotFolder,
  height: number,
  versionOf: Version,
  entries: ManifestEntry[],
): Promise<void> {
  const begun = performance.now()
  const writer = store.begin(checkpointOf(height).header, entries)
  let beginLongest = performance.now() - begun
  for (let more = true; more;) {
    const start = performance.now()
    more = writer.prepare()
    beginLongest = Math.max(beginLongest, performance.now() - start)
  }
  console.log(`  begin: ${(performance.now() - begun).toFixed(1)} ms, ${beginLongest.toFixed(1)} ms in one go`)
  let drained = (): void => {}
  writer.onDrain = () => drained()
  let chunk = 0
  let longest = 0
  for (const entry of writer.missing) {
    while (entries[chunk] !== undefined && entries[chunk]!.digest.some((byte, at) => byte !== entry.digest[at])) chunk++
    const bytes = bytesOf(chunk, versionOf(chunk))
    const start = performance.now()
    const mayGoOn = writer.add(entry, bytes)
    longest = Math.max(longest, performance.now() - start)
    watchMemory()
    if (!mayGoOn) await new Promise<void>((resolve) => (drained = resolve))
  }
  await answered((done) => writer.finish(done))
  const certified = performance.now()
  await answered((done) => store.certify(checkpointOf(height), done))
  const ms = (performance.now() - certified).toFixed(1)
  console.log(`  add: ${longest.toFixed(1)} ms at most; certify: ${ms} ms`)
}

async function untilIdle({ store }: SnapshotFolder): Promise<void> {
  for (let packs = -1; packs !== store.sizes.packs;) {
    packs = store.sizes.packs
    for (let pause = 0; pause < 50; pause++) {
      await setTimeout(20)
      watchMemory()
    }
  }
}

async function saveAndCompact(what: string, of: number, height: number, versionOf: Version): Promise<void> {
  const entries = entriesOf(versionOf)
  await measure(what, of, () => save(opened, height, versionOf, entries))
  await untilIdle(opened)
  const { packs, chunks } = opened.store.sizes
  console.log(`  afterwards: ${packs} packs, ${chunks} chunks`)
}

let opened: SnapshotFolder
try {
  console.log(`${chunkCount} chunks of ${chunkBytes / 1024} KiB in ${folder}`)
  globalThis.gc?.()
  bytesHeld = bytesNow()
  opened = await open()
  await saveAndCompact('write', mebibytes, 10, () => 0)
  await saveAndCompact('write a tenth anew', mebibytes / 10, 20, (chunk) => (chunk % 10 === 0 ? 1 : 0))
  await saveAndCompact('write all anew, and let the first go', mebibytes, 30, () => 2)
  await saveAndCompact('write a tenth anew, and let the second go', mebibytes / 10, 40, (chunk) =>
    chunk % 10 === 0 ? 3 : 2,
  )
  await saveAndCompact('write nothing new, and let the third go', 0, 50, (chunk) => (chunk % 10 === 0 ? 3 : 2))
  await opened.close()
  await measure('open', 0, async () => {
    opened = await open()
    watchMemory()
  })
  await measure('read, checked by digest', mebibytes, async () => {
    const [newest] = opened.store.stable
    if (newest === undefined) throw new Error('nothing is stable')
    for (const entry of newest.entries) {
      if (opened.store.read(entry) === null) throw new Error('a chunk is damaged')
      watchMemory()
    }
  })
  await opened.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
