// What the machine can do at this moment: it drifts by tens of per cent within minutes, so figures are quoted beside it.

import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Hasher, Signer, Verifier } from '../kernel/crypto-ports.ts'
import { payloadDigest } from '../kernel/block.ts'

export interface Yardstick {
  /** Ed25519 signatures verified in a CPU second. */
  verifies: number
  /** MB hashed with SHA-256 in a CPU second. */
  hashMegabytes: number
  /** Of 4 KiB appended to a file in the folder that is measured. */
  syncMs: { median: number; p99: number }
}

export interface YardstickPorts {
  hasher: Hasher
  signer: Signer
  verifier: Verifier
}

const hashes = 1000
const verifications = 2000
const syncs = 200

export function yardstick(ports: YardstickPorts, folder: string): Yardstick {
  return { ...cpuYardstick(ports), syncMs: syncTimes(folder) }
}

export function cpuYardstick({ hasher, signer, verifier }: YardstickPorts): Omit<Yardstick, 'syncMs'> {
  const payload = new Uint8Array(128 * 1024)
  const hashing = cpuSeconds(hashes, () => payloadDigest(hasher, payload))
  const message = new Uint8Array(200)
  const signature = signer.sign(message)
  const verifying = cpuSeconds(verifications, () => verifier.verify(signer.publicKey, message, signature))
  return { hashMegabytes: (hashes * payload.length) / 1e6 / hashing, verifies: verifications / verifying }
}

function cpuSeconds(times: number, work: () => void): number {
  const started = process.cpuUsage()
  for (let count = 0; count < times; count++) work()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1e6
}

function syncTimes(folder: string): Yardstick['syncMs'] {
  const path = join(folder, 'yardstick')
  const file = openSync(path, 'w')
  try {
    const block = new Uint8Array(4096)
    const times = Array.from({ length: syncs }, () => {
      writeSync(file, block)
      const startedMs = performance.now()
      fdatasyncSync(file)
      return performance.now() - startedMs
    }).sort((one, other) => one - other)
    return { median: times[syncs >> 1]!, p99: times[Math.floor(syncs * 0.99)]! }
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}
