// Headers of answers, against the examples of RFC 7541: each block with the table that those before it have left.

import { describe, expect, it } from 'vitest'
import { HeaderReader } from '../../src/benchmark/systems/etcd/header-reader.ts'
import { readHuffman } from '../../src/benchmark/systems/etcd/huffman.ts'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const text = (word: string): string => Buffer.from(word, 'latin1').toString('hex')
const status = text('grpc-status')
/** A literal that is kept, with its name. */
const kept = (name: string, value: string): string =>
  `40${hex(name.length)}${text(name)}${hex(value.length)}${text(value)}`
const hex = (number: number): string => number.toString(16).padStart(2, '0')

describe("the code of RFC 7541's strings", () => {
  it.each([
    ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
    ['a8eb10649cbf', 'no-cache'],
    ['25a849e95ba97d7f', 'custom-key'],
    ['', ''],
  ])('%s says %s', (coded, said) => {
    expect(readHuffman(bytes(coded))).toBe(said)
  })

  it.each([
    ['padding that is no ones', 'a8eb10649cb0'],
    ['padding of a byte', 'a8eb10649cbfff'],
    ['the end', 'ffffffff'],
  ])('is refused with %s', (_, coded) => {
    expect(readHuffman(bytes(coded))).toBe(null)
  })
})

describe('blocks of headers', () => {
  it('name what was kept before, the newest first', () => {
    const reader = new HeaderReader()
    expect(reader.read(bytes(kept('grpc-status', '7')))).toEqual({ status: '7', message: null })
    expect(reader.read(bytes(kept('grpc-message', 'no')))).toEqual({ status: null, message: 'no' })
    expect(reader.read(bytes('bf be'))).toEqual({ status: '7', message: 'no' })
    // The name of one that was kept, and a value that is not.
    expect(reader.read(bytes('0f 30 01 35'))).toEqual({ status: '5', message: null })
    expect(reader.read(bytes('c0'))).toBe(null)
  })

  it('name entries that everybody knows, in 61 places', () => {
    expect(new HeaderReader().read(bytes(`88 81 bd 7d 01 61 be`))).toEqual({ status: null, message: null })
    expect(new HeaderReader().read(bytes('be'))).toBe(null)
  })

  it('throw out what is oldest when the table is full, and all when it is to be empty', () => {
    const reader = new HeaderReader()
    reader.read(bytes(kept('grpc-status', '7')))
    // 11 + 1 + 32 bytes; three of 4 + 1300 + 32 leave room for 88.
    const large = `40 04 ${text('name')} 7f 9509 ${'61'.repeat(1300)}`
    for (let count = 0; count < 3; count++) reader.read(bytes(large))
    expect(reader.read(bytes('c1'))).toEqual({ status: '7', message: null })
    reader.read(bytes(kept('grpc-status', '8')))
    expect(reader.read(bytes('be c2'))).toEqual({ status: '7', message: null })
    reader.read(bytes(kept('x', '1')))
    expect(reader.read(bytes('c3'))).toBe(null)
    const other = new HeaderReader()
    other.read(bytes(kept('grpc-status', '7')))
    expect(other.read(bytes('20 3f e1 1f'))).toEqual({ status: null, message: null })
    expect(other.read(bytes('be'))).toBe(null)
  })

  it('has what is never to be kept, and what is not kept this time', () => {
    for (const first of ['10', '00']) {
      const reader = new HeaderReader()
      expect(reader.read(bytes(`${first} 0b ${status} 01 30`))).toEqual({ status: '0', message: null })
      expect(reader.read(bytes('be'))).toBe(null)
    }
  })

  it.each([
    ['an entry 0', '80'],
    ['a table that is larger than was agreed', '3f e2 1f'],
    ['a number without an end', 'ff ff ff ff ff ff ff ff 00'],
    ['a number that is not all there', 'ff 80'],
    ['text that is not all there', '40 05 61'],
    ['a name without a value', '40 01 61'],
    ['a name of an entry that is not there', '7f 00 01 61'],
    ['text in no code', '40 81 00 01 61'],
  ])('are refused with %s', (_, block) => {
    expect(new HeaderReader().read(bytes(block))).toBe(null)
  })
})
