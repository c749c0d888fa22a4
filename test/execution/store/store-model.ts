// The store as one would write it without a thought for speed: a sorted copy for each question, a whole copy for each transaction.

import type { Compare, KeyCommand, Scan, StoreCommand } from '../../../src/execution/store/commands.ts'
import type { KeyResult, KeyValue, StoreResult } from '../../../src/execution/store/results.ts'

interface ModelLease {
  ttlMs: number
  expiresAt: number
}

const name = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const same = (left: Uint8Array, right: Uint8Array): boolean => name(left) === name(right)

function withoutValue(entry: KeyValue): KeyValue {
  return { ...entry, value: new Uint8Array(0) }
}

export class StoreModel {
  entries = new Map<string, KeyValue>()
  leases = new Map<number, ModelLease>()
  revision = 0
  lastLease = 0
  now = 0

  beginBlock(now: number): void {
    this.now = now
    const ended = [...this.leases].filter(([, lease]) => lease.expiresAt <= now)
    ended.sort(([leftId, left], [rightId, right]) => left.expiresAt - right.expiresAt || leftId - rightId)
    for (const [id] of ended) this.#end(id)
  }

  apply(command: StoreCommand): StoreResult {
    switch (command.kind) {
      case 'scan':
        return this.#scan(command)
      case 'leaseGrant':
        this.leases.set(++this.lastLease, { ttlMs: command.ttlMs, expiresAt: this.now + command.ttlMs })
        return this.#lease(this.lastLease)
      case 'leaseKeepAlive': {
        const lease = this.leases.get(command.lease)
        if (lease === undefined) return { kind: 'refused', reason: 'lease-not-found' }
        lease.expiresAt = this.now + lease.ttlMs
        return this.#lease(command.lease)
      }
      case 'leaseRevoke':
        if (!this.leases.has(command.lease)) return { kind: 'refused', reason: 'lease-not-found' }
        return { kind: 'leaseRevoked', keys: this.#end(command.lease), revision: this.revision }
      case 'transaction': {
        const held = command.compares.every((compare) => this.#holds(compare))
        const outcome = this.#together(held ? command.success : command.failure)
        return Array.isArray(outcome)
          ? { kind: 'transaction', held, results: outcome, revision: this.revision }
          : outcome
      }
      default: {
        const outcome = this.#together([command])
        return Array.isArray(outcome) ? outcome[0]! : outcome
      }
    }
  }

  /** All commands at one revision, or the first refusal and nothing. */
  #together(commands: readonly KeyCommand[]): KeyResult[] | StoreResult {
    const before = new Map(this.entries)
    const next = this.revision + 1
    let wrote = false
    const results: KeyResult[] = []
    for (const command of commands) {
      const key = name(command.key)
      const entry = this.entries.get(key)
      const revision = (): number => (wrote ? next : this.revision)
      const write = (value: Uint8Array, lease: number): void => {
        wrote = true
        const createRevision = entry?.createRevision ?? next
        const version = (entry?.version ?? 0) + 1
        this.entries.set(key, { key: command.key, value, createRevision, modRevision: next, version, lease })
      }
      const refuse = (reason: 'lease-not-found' | 'not-a-number'): StoreResult => {
        this.entries = before
        return { kind: 'refused', reason }
      }
      if (command.kind === 'get') {
        results.push({ kind: 'value', entry: entry ?? null })
      } else if (command.kind === 'put') {
        if (command.lease !== 0 && !this.leases.has(command.lease)) return refuse('lease-not-found')
        write(command.value, command.lease)
        results.push({ kind: 'put', revision: revision() })
      } else if (command.kind === 'delete') {
        if (this.entries.delete(key)) wrote = true
        results.push({ kind: 'deleted', existed: entry !== undefined, revision: revision() })
      } else if (command.kind === 'compareAndSwap') {
        const { expected } = command
        const swapped = expected === null ? entry === undefined : entry !== undefined && same(entry.value, expected)
        if (swapped) write(command.value, entry?.lease ?? 0)
        results.push({ kind: 'swapped', swapped, revision: revision() })
      } else {
        const spelled = entry === undefined ? '0' : name(entry.value)
        const sum = Number(spelled) + command.by
        if (!/^(0|-?[1-9][0-9]*)$/.test(spelled) || !Number.isSafeInteger(Number(spelled)))
          return refuse('not-a-number')
        if (!Number.isSafeInteger(sum)) return refuse('not-a-number')
        write(new TextEncoder().encode(String(sum)), entry?.lease ?? 0)
        results.push({ kind: 'number', value: sum, revision: revision() })
      }
    }
    if (wrote) this.revision = next
    return results
  }

  #scan({ from, to, limit, keysOnly }: Scan): StoreResult {
    const all = [...this.entries].filter(([key]) => key >= name(from) && (to === null || key < name(to)))
    all.sort(([left], [right]) => (left < right ? -1 : 1))
    const entries = all.slice(0, limit).map(([, entry]) => (keysOnly ? withoutValue(entry) : entry))
    return { kind: 'entries', entries, next: all[limit]?.[1].key ?? null, revision: this.revision }
  }

  #holds(compare: Compare): boolean {
    const entry = this.entries.get(name(compare.key))
    if (compare.kind === 'value' && entry === undefined) return false
    const [left, right] =
      compare.kind === 'value'
        ? [name(entry!.value), name(compare.value)]
        : [entry?.[compare.field] ?? 0, compare.number]
    return { equal: left === right, notEqual: left !== right, less: left < right, greater: left > right }[
      compare.comparison
    ]
  }

  #end(id: number): number {
    const attached = [...this.entries].filter(([, entry]) => entry.lease === id)
    for (const [key] of attached) this.entries.delete(key)
    if (attached.length > 0) this.revision++
    this.leases.delete(id)
    return attached.length
  }

  #lease(id: number): StoreResult {
    const { ttlMs, expiresAt } = this.leases.get(id)!
    return { kind: 'lease', lease: id, ttlMs, expiresAt }
  }
}
