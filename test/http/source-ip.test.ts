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
  ['a proxy that sends an empty one', 1, '', '127.0.0.1'],
  ['a proxy that adds the port', 1, '198.51.100.66, 203.0.113.9:20000', '203.0.113.9'],
  ['a proxy that adds the port to IPv6', 1, '[2001:DB8::1]:443', '2001:db8::1'],
  ['a proxy that writes IPv4 as IPv6', 1, '::ffff:203.0.113.9', '203.0.113.9'],
  ['a proxy that does not know the address, so it is the proxy', 1, '198.51.100.66, unknown', '127.0.0.1'],
  ['a proxy that hides the address', 1, '198.51.100.66, _hidden', '127.0.0.1'],
  ['the first of two proxies not knowing it', 2, '198.51.100.66, unknown, 10.0.0.1', '10.0.0.1'],
  ['the second of two proxies not knowing it', 2, '198.51.100.66, 203.0.113.9, unknown', '203.0.113.9'],
  ['neither of two proxies knowing it', 2, '198.51.100.66, unknown, unknown', '127.0.0.1'],
  ['a proxy that writes nothing behind a comma', 1, '198.51.100.66,', '127.0.0.1'],
  ['a proxy that writes nothing before a comma', 2, ',10.0.0.1', '10.0.0.1'],
  ['fewer entries than proxies', 3, '203.0.113.9', '203.0.113.9'],
])('the source address with %s', async (_what, behindProxy, forwardedFor, expected) => {
  expect(await sourceIpOf(behindProxy, forwardedFor)).toEqual([expected])
})

test('250 ports of one address are one source: its failures are limited', async () => {
  const api = await startApi({ options: { behindProxy: 1 } })
  const statuses = await Promise.all(
    Array.from({ length: 250 }, async (_, i) => {
      const headers = { 'x-forwarded-for': i % 2 ? `203.0.113.9:${20_000 + i}` : `[::ffff:203.0.113.9]:${i}` }
      return (await requestToken(api, { headers })).status
    }),
  )
  expect(statuses.filter(status => status === 401)).toHaveLength(100)
  expect(statuses.filter(status => status === 429)).toHaveLength(150)
  expect(new Set(api.records.map(({ sourceIp }) => sourceIp))).toEqual(new Set(['203.0.113.9']))
})
