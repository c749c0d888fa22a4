// The few messages of etcd's API (rpc.proto) that a load needs, written by hand.

const lengthDelimited = 2

type Field = readonly [number: number, content: Uint8Array]
export type Entry = readonly [key: Uint8Array, value: Uint8Array]

/** PutRequest: key, value. */
export function putRequest(key: Uint8Array, value: Uint8Array): Uint8Array {
  return message([
    [1, key],
    [2, value],
  ])
}

/** RangeRequest: key. One key, and linearizable, where nothing else is said. */
export function rangeRequest(key: Uint8Array): Uint8Array {
  return message([[1, key]])
}

/** TxnRequest without compares: success, a list of RequestOp, each with a request_put. */
export function putAllRequest(entries: readonly Entry[]): Uint8Array {
  return message(entries.map(([key, value]) => [2, message([[2, putRequest(key, value)]])]))
}

/** All fields of these messages are of bytes or of messages, and all numbers are below 16: a tag is one byte. */
function message(fields: readonly Field[]): Uint8Array {
  let size = 0
  for (const [, { length }] of fields) size += 1 + varintBytes(length) + length
  const bytes = new Uint8Array(size)
  let at = 0
  for (const [number, content] of fields) {
    bytes[at++] = (number << 3) | lengthDelimited
    at = writeVarint(bytes, at, content.length)
    bytes.set(content, at)
    at += content.length
  }
  return bytes
}

function varintBytes(value: number): number {
  let count = 1
  for (let left = value >>> 7; left > 0; left >>>= 7) count++
  return count
}

function writeVarint(bytes: Uint8Array, from: number, value: number): number {
  let at = from
  let left = value
  for (; left > 0x7f; left >>>= 7) bytes[at++] = (left & 0x7f) | 0x80
  bytes[at++] = left
  return at
}
