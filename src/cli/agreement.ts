// Shows that a network works: one operation, ordered, and every replica at the same height with the same digest.

import type { Client } from '../client/network-client.ts'
import type { StoreCommand, StoreQuery } from '../execution/store/commands.ts'
import type { StoreResult } from '../execution/store/results.ts'
import type { ReplicaId } from '../kernel/ids.ts'

export interface Agreement {
  height: number
  /** Of the executed header at one height, which all have. */
  header: string
  headerHeight: number
  value: string
  replicas: ReplicaId[]
  ms: number
}

type StoreClient = Client<StoreCommand, StoreQuery, StoreResult>

const pollMs = 50

/** Puts a greeting, reads it back linearizably, and waits until all say the same; null when the time is up or it was aborted. */
export async function showAgreement(
  client: StoreClient,
  replicas: readonly ReplicaId[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Agreement | null> {
  const startedMs = performance.now()
  const left = (): number => Math.max(1, deadlineMs - (performance.now() - startedMs))
  const key = new TextEncoder().encode('greeting')
  const value = new TextEncoder().encode(`hello from ${replicas.length} replicas`)
  const put = await client.submit({ kind: 'put', key, value, lease: 0 }, { signal, deadlineMs: left() })
  const read = await client.query({ kind: 'get', key }, { signal, deadlineMs: left() })
  const entry = read.result.kind === 'value' ? read.result.entry : null
  while (!signal.aborted && performance.now() - startedMs < deadlineMs) {
    const same = await sameHeader(client, replicas, put.height)
    if (same !== null && entry !== null) {
      const ms = Math.round(performance.now() - startedMs)
      return { height: put.height, ...same, value: new TextDecoder().decode(entry.value), replicas: [...replicas], ms }
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return null
}

/** Where all are at one height, at or above the one wanted, what its header is; null as long as they are not. */
async function sameHeader(
  client: StoreClient,
  replicas: readonly ReplicaId[],
  height: number,
): Promise<{ headerHeight: number; header: string } | null> {
  const reports = await Promise.all(replicas.map((replica) => client.status(replica)))
  const said = reports.map((report) => readReport(report))
  const first = said[0]
  if (first === undefined || first === null || first.headerHeight < height) return null
  const all = said.every((one) => one?.headerHeight === first.headerHeight && one.header === first.header)
  return all ? first : null
}

function readReport(report: string | null): { headerHeight: number; header: string } | null {
  if (report === null) return null
  const { headerHeight, executedHeader } = JSON.parse(report) as Record<string, unknown>
  if (typeof headerHeight !== 'number' || typeof executedHeader !== 'string') return null
  return { headerHeight, header: executedHeader }
}
