import { expect, it } from 'vitest'
import { latin1, latin1Bytes } from '../../src/wire/latin1.ts'

it('bytes become a character each, and come back, however many they are', () => {
  for (const length of [0, 1, 255, 4095, 4096, 4097, 200_000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff)
    const text = latin1(bytes)
    expect(text.length).toBe(length)
    expect(latin1Bytes(text)).toEqual(bytes)
  }
})

it('sorts as the bytes do', () => {
  const sorted = [[], [0], [0, 255], [1], [127], [128], [255, 0], [255, 1]].map((bytes) =>
    latin1(Uint8Array.from(bytes)),
  )
  expect(sorted.toReversed().toSorted()).toEqual(sorted)
})
