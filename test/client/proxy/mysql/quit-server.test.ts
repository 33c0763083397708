import { expect, test } from 'vitest'
import { createQuitter } from '../../../../src/client/proxy/mysql/quit-server.ts'
import { TOKEN } from './fake-session.ts'

test('four logins at a time, 64 that wait, and the oldest of them cut off for each more', async () => {
  const ended: number[] = []
  const failed: ((cause: Error) => void)[] = []
  const quit = createQuitter({ secure: () => Promise.reject(new Error('none')), callerName: undefined })
  for (let number = 0; number < 70; number++)
    quit({
      token: TOKEN,
      greeted: new Promise((_resolve, reject) => failed.push(reject)),
      end: () => ended.push(number),
    })
  expect(ended).toEqual([4, 5])
  // one that fails makes room, and only then
  failed[6]?.(new Error('before its turn'))
  failed[0]?.(new Error('no greeting'))
  await expect.poll(() => ended).toEqual([4, 5, 0, 6])
})
