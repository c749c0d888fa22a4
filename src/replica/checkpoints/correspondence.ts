// The servers of a transfer, what each was asked, and what becomes of those that are silent or lie.

import { encode } from '../../wire/codec.ts'
import type { ReplicaId } from '../../kernel/ids.ts'
import type { ManifestEntry } from '../../kernel/manifest.ts'
import { RequestTable, type PendingRequest } from './requests.ts'
import { Supplier } from './supplier.ts'
import { transferRequestCodec, type TransferRequest } from './transfer-messages.ts'

export interface CorrespondencePorts {
  send: (to: ReplicaId, body: Uint8Array) => void
  note: (kind: string, detail: Record<string, string | number>) => void
  /** A request is over, and the chunks in its list have not come. */
  ended: (request: PendingRequest) => void
}

export class Correspondence {
  readonly requests: RequestTable
  readonly #ports: CorrespondencePorts
  /** In the order in which they are asked. */
  #suppliers: Supplier[] = []

  constructor(firstNumber: number, ports: CorrespondencePorts) {
    this.requests = new RequestTable(firstNumber)
    this.#ports = ports
  }

  get suppliers(): readonly Supplier[] {
    return this.#suppliers
  }

  get allLied(): boolean {
    return this.#suppliers.every(({ lied }) => lied !== null)
  }

  supplier(replica: ReplicaId): Supplier | null {
    return this.#suppliers.find((supplier) => supplier.replica === replica) ?? null
  }

  /** Behind those that there are. False: none is new. */
  add(replicas: readonly ReplicaId[]): boolean {
    const before = this.#suppliers.length
    for (const replica of replicas) {
      if (this.supplier(replica) === null) this.#suppliers.push(new Supplier(replica))
    }
    return this.#suppliers.length > before
  }

  forgetAll(): void {
    this.endAll()
    this.#suppliers = []
  }

  /** Nobody is asked anything any more. */
  endAll(): void {
    this.requests.endAll()
    for (const supplier of this.#suppliers) supplier.late.clear()
  }

  newRound(): void {
    // When nobody is left: better a liar who may tell the truth this time than nothing.
    const amnesty = this.allLied
    for (const supplier of this.#suppliers) {
      if (amnesty) supplier.lied = null
      supplier.newRound()
    }
    // Who had gone on to something newer is there, and comes before whoever does not answer at all.
    this.#suppliers.sort((left, right) => Number(left.silent) - Number(right.silent))
  }

  ask(
    kind: PendingRequest['kind'],
    supplier: Supplier,
    message: (request: number) => TransferRequest,
    nowMs: number,
    entries: readonly ManifestEntry[] = [],
  ): void {
    const request = this.requests.add(kind, supplier, entries, nowMs)
    this.#ports.send(supplier.replica, encode(transferRequestCodec, message(request.number)))
  }

  end(request: PendingRequest): void {
    this.requests.end(request)
    this.#ports.ended(request)
  }

  /** What has waited too long counts as lost. Returns whose it was. */
  expire(nowMs: number): Supplier[] {
    const overdue: Supplier[] = []
    for (const request of this.requests.overdue(nowMs)) {
      const { supplier } = request
      overdue.push(supplier)
      this.end(request)
      if (supplier.timedOut(request)) this.spend(supplier, 'silent')
      // What it did not send is asked of somebody else first: it must not get it again while others have nothing to do.
      else this.#last(supplier)
    }
    return overdue
  }

  /** Whoever answers no longer has what is fetched, and the rest only might. */
  get outlived(): boolean {
    const { suppliers } = this
    return suppliers.some(({ gone }) => gone) && suppliers.every(({ usable, silent }) => !usable || silent)
  }

  /** An answer without a request. How late it is says how long to wait the next time. */
  unexpected(supplier: Supplier, number: number, nowMs: number): void {
    const late = supplier.late.get(number)
    if (late === undefined) return this.drop(supplier.replica, 'not asked')
    supplier.late.delete(number)
    supplier.answeredLate(nowMs - late.sentMs)
  }

  /** Nothing more from it in this round, and in the next it comes last. */
  spend(supplier: Supplier, why: string): void {
    if (!supplier.usable) return
    supplier.spend()
    this.#ports.note('transfer-server-spent', { server: supplier.replica, why })
    for (const request of this.requests.from(supplier)) this.end(request)
    this.#last(supplier)
  }

  #last(supplier: Supplier): void {
    this.#suppliers = [...this.#suppliers.filter((other) => other !== supplier), supplier]
  }

  /** Nothing more from it in this transfer. */
  lie(supplier: Supplier, what: string): void {
    if (supplier.lied !== null) return
    supplier.lied = what
    supplier.late.clear()
    for (const request of this.requests.from(supplier)) this.end(request)
    this.#ports.note('transfer-server-lied', { server: supplier.replica, what })
  }

  drop(from: ReplicaId, reason: string): void {
    this.#ports.note('transfer-dropped', { server: from, reason })
  }
}
