import { expect, test } from 'vitest'
import { startApi } from '../support/service/app.ts'
import { requestToken } from './support.ts'

/** Returns the `sourceIp` of the record of a request with this X-Forwarded-For. */
async function sourceIpOf(behindProxy: number | undefined, forwardedFor?: string) {
  const api = await startApi({ options: { behindProxy } })
  const headers: Record<string, string> =
    forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
  await requestToken(api, { headers })
  return api.records.map(({ sourceIp }) => sourceIp)
}

test.each([
  ['no proxy', 0, '192.0.2.1', '127.0.0.1'],
  ['behindProxy unset', undefined, '192.0.2.1', '127.0.0.1'],
  ['one proxy', 1, '192.0.2.1', '192.0.2.1'],
  ['one proxy, and an entry of the caller before it', 1, '203.0.113.9, 192.0.2.1', '192.0.2.1'],
  ['two proxies', 2, '192.0.2.1, 10.0.0.1', '192.0.2.1'],
  [
    'two proxies, and entries of the caller before them',
    2,
    '127.0.0.1, 203.0.113.9, 192.0.2.1, 10.0.0.1',
    '192.0.2.1',
  ],
  ['a proxy that sends no header', 1, undefined, '127.0.0.1'],
])('the source address with %s', async (_what, behindProxy, forwardedFor, expected) => {
  expect(await sourceIpOf(behindProxy, forwardedFor)).toEqual([expected])
})
