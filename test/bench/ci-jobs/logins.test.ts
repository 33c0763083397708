import { expect, test } from 'vitest'
import { admitLogins } from './logins.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)

test('admitLogins lets 20 identities in a second, and the last of 100 in after four', () => {
  const logins = numbers(100).map(n => ({ token: `token ${n}`, identity: `session ${n}`, atMs: 0 }))
  expect(admitLogins(logins)).toEqual({ throttled: 80, longestWaitMs: 4000 })
})

test('admitLogins lets 200 tokens of one identity in a second', () => {
  const logins = numbers(300).map(n => ({ token: `token ${n}`, identity: 'role', atMs: 0 }))
  expect(admitLogins(logins)).toEqual({ throttled: 100, longestWaitMs: 1000 })
})

test('admitLogins lets everyone in who has the same token, and nobody wait who is paced', () => {
  const shared = numbers(1000).map(() => ({ token: 'token', identity: 'session', atMs: 0 }))
  expect(admitLogins(shared)).toEqual({ throttled: 0, longestWaitMs: 0 })
  const paced = numbers(100).map(n => ({ token: `token ${n}`, identity: `session ${n}`, atMs: n * 62.5 }))
  expect(admitLogins(paced)).toMatchObject({ throttled: 0 })
})
