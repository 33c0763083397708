import { expect, test } from 'vitest'
import { memoizeAsync } from '../../src/lib/memoize-async.ts'

test('what is made is made once, however many ask, and not before', async () => {
  let made = 0
  const get = memoizeAsync(async () => ++made)
  expect(made).toBe(0)
  expect(await Promise.all([get(), get()])).toEqual([1, 1])
  expect(await get()).toBe(1)
})

test('a failure is told to all who waited for it, and kept from the next', async () => {
  let tries = 0
  const get = memoizeAsync(async () => {
    if (++tries === 1) throw new Error('not now')
    return tries
  })
  const first = await Promise.allSettled([get(), get()])
  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await get()).toBe(2)
  expect(await get()).toBe(2)
})
