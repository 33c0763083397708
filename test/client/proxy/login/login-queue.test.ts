import { expect, test } from 'vitest'
import { createLoginQueue } from '../../../../src/client/proxy/login/login-queue.ts'

const { signal } = new AbortController()

test('so much goes on at one time, the rest in its order, whatever fails or is given up', async () => {
  const inQueue = createLoginQueue(2)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const leaving = new AbortController()
  const work = Array.from({ length: 6 }, (_, index) =>
    inQueue(
      () => {
        begun.push(index)
        return new Promise<void>((resolve, reject) => {
          ends[index] = () => (index === 0 ? reject(new Error('failed')) : resolve())
        })
      },
      index === 3 ? leaving.signal : signal,
    ),
  )
  await Promise.resolve()
  expect(begun).toEqual([0, 1])
  leaving.abort(new Error('left'))
  await expect(work[3]).rejects.toThrow('left')
  for (const index of [0, 1, 2, 4, 5]) {
    ends[index]?.()
    await work[index]?.catch(() => {})
  }
  expect(begun).toEqual([0, 1, 2, 4, 5])
  await expect(work[0]).rejects.toThrow('failed')
})

test('a turn that comes at the moment of an end goes to the next', async () => {
  const inQueue = createLoginQueue(1)
  const leaving = new AbortController()
  let end = () => {}
  const first = inQueue(
    () =>
      new Promise<void>(resolve => {
        end = resolve
      }),
    signal,
  )
  const second = inQueue(async () => 'second', leaving.signal)
  const third = inQueue(async () => 'third', signal)
  await Promise.resolve()
  end()
  await first
  leaving.abort(new Error('left'))
  expect(await third).toBe('third')
  await second.catch(() => {})
})
