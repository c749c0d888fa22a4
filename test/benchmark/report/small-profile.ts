// A profile that a person can work out in the head: 1 ms a sample.

import type { CpuProfile, ProfileNode } from '../../../src/benchmark/report/cpu-profile.ts'

const root = 'file:///home/someone/project/node_modules/quorate/dist'
export const urls = {
  links: `${root}/network/link/link.js`,
  protocol: `${root}/protocols/pbft/prepare.js`,
  hasher: `${root}/crypto/node/sha256-hasher.js`,
  yamux: 'file:///home/someone/project/node_modules/@chainsafe/libp2p-yamux/dist/src/stream.js',
  node: 'node:internal/crypto/hash',
} as const

/** Each frame with its caller's index; the root is made here. */
export function smallProfile(
  frames: readonly { name: string; url?: string; caller?: number }[],
  samples: readonly number[],
): CpuProfile {
  const children: number[][] = [[], ...frames.map(() => [])]
  for (const [index, { caller = -1 }] of frames.entries()) children[caller + 1]!.push(index + 1)
  const nodes = [frame(0, '(root)', '', children[0]!)]
  for (const [index, { name, url = '' }] of frames.entries()) {
    nodes.push(frame(index + 1, name, url, children[index + 1]!))
  }
  return {
    nodes,
    startTime: 5_000_000,
    endTime: 5_000_000 + (samples.length + 1) * 1000,
    samples: samples.map((index) => index + 1),
    timeDeltas: samples.map(() => 1000),
  }
}

function frame(id: number, functionName: string, url: string, children: readonly number[]): ProfileNode {
  return { id, callFrame: { functionName, url, lineNumber: 9 }, children }
}
