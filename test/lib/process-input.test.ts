import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readText, readTextUpTo } from '../../src/lib/process-input.ts'

test('readText returns the whole text of a stream, whatever its chunks', async () => {
  expect(await readText(Readable.from([]))).toBe('')
  expect(await readText(Readable.from(['a', 'é', '']))).toBe('aé')
  expect(await readText(Readable.from([Buffer.from('a'), Uint8Array.of(98)]))).toBe('ab')
})

test('readText joins a character that lies across two chunks', async () => {
  const bytes = Buffer.from('€')
  expect(await readText(Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]))).toBe('€')
})

test('readText rejects with what the stream fails with', async () => {
  async function* broken() {
    yield 'a'
    throw new Error('broke off')
  }
  await expect(readText(broken())).rejects.toThrow('broke off')
})

test('readTextUpTo counts bytes, and takes as many as the limit', async () => {
  expect(await readTextUpTo(Readable.from(['ab', 'cd']), 4)).toBe('abcd')
  expect(await readTextUpTo(Readable.from(['ab', 'cd']), 3)).toBeUndefined()
  expect(await readTextUpTo(Readable.from(['éé']), 4)).toBe('éé')
  expect(await readTextUpTo(Readable.from(['éé']), 3)).toBeUndefined()
  expect(await readTextUpTo(Readable.from([]), 0)).toBe('')
})

test('readTextUpTo reads no chunk beyond the limit, and lets go of the stream', async () => {
  let given = 0
  let isReleased = false
  async function* endless() {
    try {
      for (;;) {
        given++
        yield Buffer.alloc(100)
      }
    } finally {
      isReleased = true
    }
  }
  expect(await readTextUpTo(endless(), 250)).toBeUndefined()
  expect([given, isReleased]).toEqual([3, true])
})
