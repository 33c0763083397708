import { expect, test } from 'vitest'
import { createQuitter, type QuitterParts } from '../../../../src/client/proxy/mysql/quit-server.ts'
import { TOKEN } from './fake-session.ts'

/** Leaves servers that have not greeted, and returns which of them were cut off so far, and what fails one. */
function leaveSilent(count: number, options: Partial<QuitterParts> = {}) {
  const ended: number[] = []
  const failed: ((cause: Error) => void)[] = []
  const secure = () => Promise.reject(new Error('none'))
  const quit = createQuitter({ secure, callerName: undefined, ...options })
  for (let number = 0; number < count; number++)
    quit({
      token: TOKEN,
      greeted: new Promise((_resolve, reject) => failed.push(reject)),
      end: () => ended.push(number),
    })
  return { ended, fail: (number: number) => failed[number]?.(new Error('no greeting')) }
}

test('four logins at a time, 256 that wait, and the oldest of them cut off for each more', async () => {
  const { ended, fail } = leaveSilent(4 + 256 + 2)
  expect(ended).toEqual([4, 5])
  // one that fails makes room, and only then is the next looked at
  fail(6)
  fail(0)
  await expect.poll(() => ended).toEqual([4, 5, 0, 6])
})

test('a server that falls silent is cut off, and the next have their turn', async () => {
  const { ended } = leaveSilent(6, { maxQuitMs: 5 })
  await expect.poll(() => ended).toEqual([0, 1, 2, 3, 4, 5])
})
