/**
 * One HTTP/2 connection with prior knowledge, and gRPC's unary calls on it, as many at once as are asked for: what a load of etcd needs and
 * nothing else. It speaks HTTP/2 by itself, for node:http2 spends on each stream about what etcd does on a put, and would measure
 * itself. What is no HTTP/2, or ends the connection, fails the calls that are under way, and every later one.
 */

import { connect, type Socket } from 'node:net'
import { BlockedSends } from './blocked-sends.ts'
import { HeaderBlocks } from './header-block.ts'
import { HeaderReader } from './header-reader.ts'
import {
  frame,
  frameBytesDefault,
  frameFlag,
  frameHeaderBytes,
  FrameReader,
  frameType,
  preface,
  readSettings,
  setting,
  settingsPayload,
  uint32,
  unpadded,
  windowBytesDefault,
  windowBytesMax,
  writeFrameHeader,
} from './http2-frames.ts'
import { messagePrefixBytes, UnaryCall } from './unary-call.ts'

const connectMsMax = 2_000
const streamMax = 2 ** 31 - 1
/** What is received is given back in pieces of this size: it never runs out between. */
const replenishBytes = 2 ** 30
/** Of one block of headers, in all of its frames. */
const headersBytesMax = 64 * 1024
/** The stream that a stream depends on, and its weight. */
const priorityBytes = 5
const nothing = new Uint8Array(0)

/** To a port of this machine. */
export function connectGrpc(port: number): Promise<GrpcConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: connectMsMax })
    socket.once('error', reject)
    socket.once('timeout', () => socket.destroy(new Error(`nobody answers at port ${port}`)))
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.off('error', reject)
      resolve(new GrpcConnection(socket, `127.0.0.1:${port}`))
    })
  })
}

export class GrpcConnection {
  readonly #socket: Socket
  readonly #headers: HeaderBlocks
  readonly #reader = new FrameReader()
  readonly #headerReader = new HeaderReader()
  /** A block of headers whose last frame has not come; no other frame comes between. */
  #unread: { stream: number; flags: number; block: Buffer } | null = null
  readonly #calls = new Map<number, UnaryCall>()
  readonly #blocked = new BlockedSends(windowBytesDefault, (bytes) => this.#write(bytes))
  #unsent: Uint8Array[] = []
  #nextStream = 1
  #streamWindow = windowBytesDefault
  #receivedBytes = 0
  #lost: Error | null = null

  /** Over a socket that is connected. */
  constructor(socket: Socket, authority: string) {
    this.#socket = socket
    this.#headers = new HeaderBlocks(authority)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (cause) => this.#lose(cause))
    socket.on('close', () => this.#lose(new Error('etcd has closed the connection')))
    this.#write(preface)
    this.#write(frame(frameType.settings, 0, 0, settingsPayload([[setting.initialWindowBytes, windowBytesMax]])))
    this.#write(frame(frameType.windowUpdate, 0, 0, uint32(windowBytesMax - windowBytesDefault)))
  }

  get isOpen(): boolean {
    return this.#lost === null
  }

  /** Resolves with an answer of any content; its request leaves together with those of the same turn. */
  call(path: string, message: Uint8Array): Promise<undefined> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== null) return reject(this.#lost)
      if (this.#nextStream > streamMax) return reject(new Error('no stream is left: connect again'))
      this.#calls.set(this.#nextStream, new UnaryCall(resolve, reject))
      this.#send(this.#nextStream, this.#headers.request(path), message)
      this.#nextStream += 2
    })
  }

  close(): void {
    this.#lose(new Error('the connection was closed'))
  }

  /** Headers and body in one piece, where the windows allow: nearly always. */
  #send(stream: number, block: Uint8Array, message: Uint8Array): void {
    const length = messagePrefixBytes + message.length
    const window = Math.min(this.#blocked.connectionWindow, this.#streamWindow, frameBytesDefault)
    const isWhole = !this.#blocked.isWaiting && length <= window
    const headBytes = frameHeaderBytes + block.length
    const bytes = Buffer.allocUnsafe(headBytes + (isWhole ? frameHeaderBytes + length : 0))
    const { headers, data } = frameType
    writeFrameHeader(bytes, 0, { length: block.length, type: headers, flags: frameFlag.endHeaders, stream })
    bytes.set(block, frameHeaderBytes)
    if (isWhole) {
      writeFrameHeader(bytes, headBytes, { length, type: data, flags: frameFlag.endStream, stream })
      writeMessage(bytes, headBytes + frameHeaderBytes, message)
      this.#blocked.connectionWindow -= length
    }
    this.#write(bytes)
    if (isWhole) return
    const body = new Uint8Array(length)
    writeMessage(body, 0, message)
    this.#blocked.add(stream, body, this.#streamWindow)
  }

  /** Whoever has been answered in this turn has asked again when the microtask comes: one write for all. */
  #write(bytes: Uint8Array): void {
    if (this.#unsent.push(bytes) === 1) queueMicrotask(this.#flush)
  }

  readonly #flush = (): void => {
    const unsent = this.#unsent
    this.#unsent = []
    if (this.#lost === null) this.#socket.write(unsent.length === 1 ? unsent[0]! : Buffer.concat(unsent))
  }

  #read(chunk: Buffer): void {
    if (!this.#reader.read(chunk, this.#frame)) this.#lose(new Error('a frame is longer than was agreed'))
  }

  readonly #frame = (type: number, flags: number, stream: number, payload: Buffer): void => {
    if (this.#unread !== null && type !== frameType.continuation)
      return this.#lose(new Error('a block of headers is not whole'))
    switch (type) {
      case frameType.data:
        return this.#data(flags, stream, payload)
      case frameType.headers:
        return this.#headersBegin(flags, stream, payload)
      case frameType.continuation:
        return this.#headersGoOn(flags, stream, payload)
      case frameType.resetStream:
        return this.#fail(stream, new Error('etcd has given it up'))
      case frameType.settings:
        if ((flags & frameFlag.acknowledgement) === 0) this.#settings(payload)
        return
      case frameType.ping:
        if ((flags & frameFlag.acknowledgement) === 0)
          this.#write(frame(frameType.ping, frameFlag.acknowledgement, 0, Uint8Array.from(payload)))
        return
      case frameType.windowUpdate:
        return this.#widen(stream, payload)
      case frameType.goAway:
      case frameType.pushPromise:
        return this.#lose(new Error('etcd ends the connection'))
    }
  }

  #data(flags: number, stream: number, payload: Buffer): void {
    this.#receivedBytes += payload.length
    if (this.#receivedBytes > replenishBytes) {
      this.#write(frame(frameType.windowUpdate, 0, 0, uint32(this.#receivedBytes)))
      this.#receivedBytes = 0
    }
    const content = unpadded(flags, payload)
    if (content === null) return this.#lose(new Error('a frame is padded with more than there is'))
    this.#calls.get(stream)?.data(content)
    if ((flags & frameFlag.endStream) !== 0) this.#end(stream)
  }

  #headersBegin(flags: number, stream: number, payload: Buffer): void {
    const content = unpadded(flags, payload)
    if (content === null) return this.#lose(new Error('a frame is padded with more than there is'))
    const block = (flags & frameFlag.priority) === 0 ? content : content.subarray(priorityBytes)
    if ((flags & frameFlag.endHeaders) !== 0) return this.#headersRead(flags, stream, block)
    this.#unread = { stream, flags, block: Buffer.from(block) }
  }

  #headersGoOn(flags: number, stream: number, payload: Buffer): void {
    const begun = this.#unread
    if (begun === null || begun.stream !== stream || begun.block.length + payload.length > headersBytesMax)
      return this.#lose(new Error('a block of headers goes on that has not begun, or has no end'))
    const block = Buffer.concat([begun.block, payload])
    this.#unread = { ...begun, block }
    if ((flags & frameFlag.endHeaders) === 0) return
    this.#unread = null
    this.#headersRead(begun.flags, stream, block)
  }

  /** Whoever they are for: those that come later may point into them. */
  #headersRead(flags: number, stream: number, block: Buffer): void {
    const status = this.#headerReader.read(block)
    if (status === null) return this.#lose(new Error('a block of headers cannot be read'))
    this.#calls.get(stream)?.headers(status)
    if ((flags & frameFlag.endStream) !== 0) this.#end(stream)
  }

  #settings(payload: Buffer): void {
    for (const [number, value] of readSettings(payload)) {
      if (number === setting.initialWindowBytes) {
        const widerBy = value - this.#streamWindow
        this.#streamWindow = value
        this.#blocked.widenAll(widerBy)
      }
      // Headers would have to be written in another way.
      if (number === setting.headerTableBytes && value < 4096) return this.#lose(new Error('etcd keeps no headers'))
    }
    this.#write(frame(frameType.settings, frameFlag.acknowledgement, 0, nothing))
  }

  #widen(stream: number, payload: Buffer): void {
    if (payload.length !== 4) return this.#lose(new Error('a window is widened by no number'))
    const by = payload.readUInt32BE(0) & 0x7fff_ffff
    if (stream !== 0) return this.#blocked.widenStream(stream, by)
    this.#blocked.connectionWindow += by
    this.#blocked.pump()
  }

  #end(stream: number): void {
    const call = this.#calls.get(stream)
    this.#calls.delete(stream)
    call?.end()
    // Answered before all of it was sent: nobody reads the rest.
    this.#blocked.remove(stream)
  }

  #fail(stream: number, cause: Error): void {
    const call = this.#calls.get(stream)
    this.#calls.delete(stream)
    this.#blocked.remove(stream)
    call?.failed(cause)
  }

  #lose(cause: Error): void {
    if (this.#lost !== null) return
    this.#lost = cause
    this.#socket.destroy()
    for (const call of this.#calls.values()) call.failed(cause)
    this.#calls.clear()
  }
}

function writeMessage(into: Uint8Array, at: number, message: Uint8Array): void {
  into[at] = 0
  into[at + 1] = message.length >>> 24
  into[at + 2] = message.length >>> 16
  into[at + 3] = message.length >>> 8
  into[at + 4] = message.length
  into.set(message, at + messagePrefixBytes)
}
