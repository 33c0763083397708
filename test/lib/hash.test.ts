import { expect, test } from 'vitest'
import { sha256Hex } from '../../src/lib/hash.ts'

test('sha256Hex returns the lower-case hex SHA-256 of text in UTF-8, or of bytes', () => {
  // FIPS 180-4's example
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(sha256Hex('é')).toBe(sha256Hex(new Uint8Array([0xc3, 0xa9])))
})
