// The client of etcd against a small server: of node:http2 where it is to be understood, and of raw bytes where they are broken.

import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { BlockedSends } from '../../src/benchmark/systems/etcd/blocked-sends.ts'
import { EtcdClient } from '../../src/benchmark/systems/etcd/client.ts'
import { connectGrpc } from '../../src/benchmark/systems/etcd/grpc-connection.ts'
import { frame, frameFlag, frameType } from '../../src/benchmark/systems/etcd/http2-frames.ts'
import { putAllRequest, putRequest, rangeRequest } from '../../src/benchmark/systems/etcd/protobuf.ts'

interface Request {
  path: string
  headers: Record<string, unknown>
  body: Buffer
}

const servers: (Http2Server | Server)[] = []
const closings: (() => void)[] = []

afterEach(() => {
  for (const close of closings.splice(0)) close()
  for (const server of servers.splice(0)) server.close()
})

function listen(server: Http2Server | Server): Promise<number> {
  servers.push(server)
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

function message(content: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(content.length, 1)
  return Buffer.concat([prefix, content])
}

/** As gRPC does it: headers, a message in as many pieces as it takes, and a status in trailers. */
function answer(stream: ServerHttp2Stream, body: Uint8Array, trailers: Record<string, string>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(body)
}

function succeed(stream: ServerHttp2Stream, content: Uint8Array = new Uint8Array(3)): void {
  answer(stream, message(content), { 'grpc-status': '0', 'grpc-message': '' })
}

function refuse(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
}

async function grpcServer(take: (stream: ServerHttp2Stream, request: Request) => void): Promise<number> {
  const server = createHttp2Server()
  server.on('session', (session) => closings.push(() => session.destroy()))
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => take(stream, { path: headers[':path']!, headers, body: Buffer.concat(parts) }))
  })
  return listen(server)
}

/** Of raw bytes: says this to whoever connects. */
async function rawServer(says: readonly Uint8Array[]): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    closings.push(() => socket.destroy())
    for (const bytes of says) socket.write(bytes)
  })
  return listen(server)
}

const key = new TextEncoder().encode('key')
const [settings, noPayload] = [frame(frameType.settings, 0, 0, new Uint8Array(0)), new Uint8Array(0)]

describe("etcd's messages", () => {
  it.each([
    ['a put', putRequest(key, Uint8Array.of(1, 2)), '0a036b657912020102'],
    ['a linearizable read', rangeRequest(key), '0a036b6579'],
    [
      'a transaction',
      putAllRequest([
        [key, Uint8Array.of(1)],
        [key, Uint8Array.of(2)],
      ]),
      '120a12080a036b6579120101120a12080a036b6579120102',
    ],
  ])('are written as rpc.proto has them: %s', (_, bytes, expected) => {
    expect(Buffer.from(bytes).toString('hex')).toBe(expected)
  })

  it('have lengths of several bytes', () => {
    const head = Buffer.from(putRequest(key, new Uint8Array(70_000))).subarray(5, 9)
    expect(head.toString('hex')).toBe('12f0a204')
  })
})

describe('bodies that windows hold back', () => {
  const lengths = (frames: readonly Uint8Array[]): number[] => frames.map(({ length }) => length - 9)

  it('leave as far as both windows allow, in frames of 16 KiB, and the last says so', () => {
    const sent: Uint8Array[] = []
    const sends = new BlockedSends(50_000, (bytes) => sent.push(bytes))
    sends.add(1, new Uint8Array(40_000), 30_000)
    sends.add(3, new Uint8Array(40_000), 60_000)
    expect(lengths(sent)).toEqual([16_384, 13_616, 16_384, 3_616])
    sends.widenStream(1, 10_000)
    expect(sent).toHaveLength(4)
    sends.connectionWindow += 100_000
    sends.pump()
    expect(lengths(sent.slice(4))).toEqual([10_000, 16_384, 3_616])
    expect(sent.map((bytes) => [bytes[8], bytes[4]])).toEqual([
      [1, 0],
      [1, 0],
      [3, 0],
      [3, 0],
      [1, 1],
      [3, 0],
      [3, 1],
    ])
    expect(sends.isWaiting).toBe(false)
  })

  it('wait no longer when all windows are widened, and not at all for what is over', () => {
    const sent: Uint8Array[] = []
    const sends = new BlockedSends(50_000, (bytes) => sent.push(bytes))
    sends.add(1, new Uint8Array(20), 10)
    sends.add(3, new Uint8Array(20), 10)
    sends.remove(3)
    sends.widenAll(100)
    expect(lengths(sent)).toEqual([10, 10, 10])
    expect(sends.isWaiting).toBe(false)
  })
})

describe('the client of etcd', () => {
  it('is understood: each call once, with its path, headers and whole message', async () => {
    const requests: Request[] = []
    const port = await grpcServer((stream, request) => {
      requests.push(request)
      succeed(stream)
    })
    const client = new EtcdClient([port], 0)
    const value = new Uint8Array(200).fill(7)
    await client.put(key, value)
    await Promise.all([client.get(key), client.putAll([[key, value]]), client.put(key, value), client.get(key)])
    await client.close()
    expect(requests.map(({ path }) => path)).toEqual(
      ['Put', 'Range', 'Txn', 'Put', 'Range'].map((name) => `/etcdserverpb.KV/${name}`),
    )
    expect(requests[0]!.headers).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': `127.0.0.1:${port}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    expect(requests.map(({ body }) => body)).toEqual(
      [
        putRequest(key, value),
        rangeRequest(key),
        putAllRequest([[key, value]]),
        putRequest(key, value),
        rangeRequest(key),
      ].map((one) => message(one)),
    )
  })

  it('sends what is larger than a frame and a window, many at once, and takes answers as large', async () => {
    const received: number[] = []
    const port = await grpcServer((stream, { body }) => {
      received.push(body.length)
      succeed(stream, new Uint8Array(100_000))
    })
    const client = new EtcdClient([port], 0)
    const value = new Uint8Array(300_000)
    await Promise.all(Array.from({ length: 40 }, () => client.put(key, value)))
    await client.close()
    expect(received).toEqual(Array.from({ length: 40 }, () => 5 + putRequest(key, value).length))
  })

  it('fails an operation that is refused, reset, or answered by half a message, and no other', async () => {
    const answers = [
      refuse,
      (stream: ServerHttp2Stream) => stream.close(8),
      (stream: ServerHttp2Stream) =>
        answer(stream, message(new Uint8Array(50)).subarray(0, 20), { 'grpc-status': '0' }),
      (stream: ServerHttp2Stream) => answer(stream, Uint8Array.of(1, 0, 0, 0, 0), { 'grpc-status': '0' }),
      succeed,
    ]
    const port = await grpcServer((stream) => answers.shift()!(stream))
    const client = new EtcdClient([port], 0)
    const ended = await Promise.allSettled(Array.from({ length: 5 }, () => client.get(key)))
    await client.close()
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected', 'fulfilled'])
  })

  it('fails an operation whose answer is whole and whose status is another than 0, with a sentence', async () => {
    const whole = message(new Uint8Array(3))
    const answers = [
      (stream: ServerHttp2Stream) =>
        answer(stream, whole, { 'grpc-status': '8', 'grpc-message': 'etcdserver: mvcc: database space exceeded' }),
      (stream: ServerHttp2Stream) => answer(stream, whole, { 'grpc-status': '14' }),
      (stream: ServerHttp2Stream) => answer(stream, whole, { 'grpc-status': '9', 'grpc-message': 'x'.repeat(20_000) }),
      (stream: ServerHttp2Stream) => answer(stream, whole, { 'other-status': '0' }),
      refuse,
      succeed,
    ]
    const port = await grpcServer((stream) => answers.shift()!(stream))
    const client = new EtcdClient([port], 0)
    const said = async (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => 'well',
        ({ message: words }: Error) => words,
      )
    expect(await said(client.put(key, key))).toBe(
      'etcd has refused it with status 8: etcdserver: mvcc: database space exceeded',
    )
    expect(await said(client.get(key))).toBe('etcd has refused it with status 14')
    // In several frames, of which so much is repeated.
    expect(await said(client.put(key, key))).toBe(`etcd has refused it with status 9: ${'x'.repeat(200)}`)
    expect(await said(client.put(key, key))).toBe('etcd has ended its answer without a status')
    expect(await said(client.get(key))).toBe('etcd has refused it with status 5')
    expect(await said(client.put(key, key))).toBe('well')
    await client.close()
  })

  it('reads headers of any bytes, and those that point to others before them, however many came between', async () => {
    const letters = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
    const sayable = letters.filter((letter) => /[\x20-\x7e\x80-\xff]/.test(letter))
    // Of several sizes: what is thrown out of the table depends on each byte.
    const wordsOf = (count: number): string =>
      `${count}${sayable[count % sayable.length]!.repeat(count % 7)}${sayable.slice(count % 50).join('')}|`
    let asked = 0
    const port = await grpcServer((stream) => {
      asked++
      const headers = { 'grpc-message': wordsOf(asked), [`x-${asked % 11}`]: `${asked % 13}` }
      answer(stream, message(noPayload), { 'grpc-status': asked % 3 === 0 ? '0' : '2', ...headers })
    })
    const client = new EtcdClient([port], 0)
    for (let count = 1; count <= 300; count++) {
      const outcome = await client.get(key).then(
        () => 'well',
        ({ message: words }: Error) => words,
      )
      const refused = `etcd has refused it with status 2: ${wordsOf(count).slice(0, 200)}`
      expect(outcome).toBe(count % 3 === 0 ? 'well' : refused)
    }
    await client.close()
  })

  it('goes to the next member when the one that it is connected to is gone, or is not there', async () => {
    const seen: string[] = []
    const first = await grpcServer((stream) => {
      seen.push('first')
      if (seen.length === 1) return succeed(stream)
      return stream.session!.destroy()
    })
    const second = await grpcServer((stream) => {
      seen.push('second')
      succeed(stream)
    })
    const nobody = await listen(createServer())
    await new Promise((resolve) => (servers.pop() as Server).close(resolve))
    const client = new EtcdClient([first, nobody, second], 0)
    await client.get(key)
    await expect(client.get(key)).rejects.toThrow()
    await client.get(key)
    await client.close()
    expect(seen).toEqual(['first', 'first', 'second'])
  })

  it('fails when nobody is there, and when it was closed', async () => {
    const nobody = await listen(createServer())
    await new Promise((resolve) => (servers.pop() as Server).close(resolve))
    const client = new EtcdClient([nobody], 0)
    await expect(client.get(key)).rejects.toThrow()
    await client.close()
    await expect(client.get(key)).rejects.toThrow('closed')
  })
})

describe('a connection', () => {
  const head = (length: number, type: number, flags: number, stream: number): Uint8Array =>
    Uint8Array.of(length >> 16, length >> 8, length, type, flags, 0, 0, 0, stream)

  it.each([
    ['no HTTP/2 at all', [Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')]],
    ['a frame that is longer than was agreed', [settings, head(20_000, frameType.data, 0, 1)]],
    ['a push', [settings, frame(frameType.pushPromise, 0, 1, noPayload)]],
    ['a farewell', [settings, frame(frameType.goAway, 0, 0, new Uint8Array(8))]],
    ['a window without a number', [settings, frame(frameType.windowUpdate, 0, 0, noPayload)]],
    [
      'padding that is longer than its frame',
      [settings, frame(frameType.data, frameFlag.padded, 1, Uint8Array.of(9, 1))],
    ],
    [
      'headers that point to nothing',
      [settings, frame(frameType.headers, frameFlag.endHeaders, 1, Uint8Array.of(0xff, 0x80, 0x7f))],
    ],
    [
      'headers of more than there is',
      [settings, frame(frameType.headers, frameFlag.endHeaders, 1, Uint8Array.of(0, 5, 97))],
    ],
    [
      'headers that go on and have not begun',
      [settings, frame(frameType.continuation, frameFlag.endHeaders, 1, noPayload)],
    ],
    ['headers that another frame interrupts', [settings, frame(frameType.headers, 0, 1, noPayload), settings]],
    [
      'headers that go on elsewhere',
      [
        settings,
        frame(frameType.headers, 0, 1, noPayload),
        frame(frameType.continuation, frameFlag.endHeaders, 3, noPayload),
      ],
    ],
    [
      'headers without an end',
      [
        settings,
        frame(frameType.headers, 0, 1, noPayload),
        ...Array.from({ length: 9 }, () => frame(frameType.continuation, 0, 1, new Uint8Array(8192))),
      ],
    ],
    [
      'headers that are padded with more than there is',
      [settings, frame(frameType.headers, frameFlag.padded, 1, Uint8Array.of(9, 1))],
    ],
    ['settings that forbid to keep headers', [frame(frameType.settings, 0, 0, Uint8Array.of(0, 1, 0, 0, 0, 0))]],
  ])('fails all calls, now and later, after %s', async (_, says) => {
    const connection = await connectGrpc(await rawServer(says))
    await expect(connection.call('/a', noPayload)).rejects.toThrow()
    expect(connection.isOpen).toBe(false)
    await expect(connection.call('/a', noPayload)).rejects.toThrow()
  })

  it('reads frames in pieces, answers to nobody, and padding', async () => {
    const data = frame(frameType.data, frameFlag.padded, 1, Uint8Array.of(2, 0, 0, 0, 0, 1, 42, 0, 0))
    const stranger = frame(frameType.data, frameFlag.endStream, 77, Uint8Array.of(1))
    // grpc-status: 0, as it is, behind a stream and a weight that count for nothing, with a byte of padding.
    const block = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 11, ...new TextEncoder().encode('grpc-status'), 1, 0x30, 0)
    const flags = frameFlag.endStream | frameFlag.endHeaders | frameFlag.padded | frameFlag.priority
    const trailers = frame(frameType.headers, flags, 1, block)
    const all = Buffer.concat([settings, stranger, data, trailers])
    const server = createServer((socket) => {
      closings.push(() => socket.destroy())
      socket.setNoDelay(true)
      // Not before the call that is to be answered.
      socket.once('data', async () => {
        for (const byte of all) {
          socket.write(Uint8Array.of(byte))
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
    })
    const connection = await connectGrpc(await listen(server))
    await expect(connection.call('/a', noPayload)).resolves.toBeUndefined()
    connection.close()
  })

  it('answers pings and settings', async () => {
    const ping = frame(frameType.ping, 0, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    const heard: Buffer[] = []
    const answered = new Promise<void>((resolve) => {
      const server = createServer((socket) => {
        closings.push(() => socket.destroy())
        socket.write(Buffer.concat([settings, ping]))
        socket.on('data', (part: Buffer) => {
          heard.push(part)
          const all = Buffer.concat(heard)
          const pong = Buffer.from(
            frame(frameType.ping, frameFlag.acknowledgement, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
          )
          const acknowledged = Buffer.from(frame(frameType.settings, frameFlag.acknowledgement, 0, noPayload))
          if (all.includes(pong) && all.includes(acknowledged)) resolve()
        })
      })
      void listen(server).then((port) =>
        connectGrpc(port).then((connection) => closings.push(() => connection.close())),
      )
    })
    await answered
  })
})
