import { expect, test } from 'vitest'
import { appWorld } from '../support/service/app.ts'
import { askToken } from './support.ts'

/** What a record calls the source of a request with this X-Forwarded-For. */
async function sourceOf(behindProxy: number | undefined, forwardedFor?: string) {
  const world = await appWorld({ options: { behindProxy } })
  const headers: Record<string, string> =
    forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
  await askToken(world, { headers })
  return world.records.map(({ sourceIp }) => sourceIp)
}

test.each([
  ['nobody in front: the header is not believed', 0, '192.0.2.1', '127.0.0.1'],
  ['nobody in front, nor configured', undefined, '192.0.2.1', '127.0.0.1'],
  ['one proxy, which says who asked it', 1, '192.0.2.1', '192.0.2.1'],
  ['one proxy, and what the caller wrote before it', 1, '203.0.113.9, 192.0.2.1', '192.0.2.1'],
  ['two proxies', 2, '192.0.2.1, 10.0.0.1', '192.0.2.1'],
  [
    'two proxies, and what the caller wrote before them',
    2,
    '127.0.0.1, 203.0.113.9, 192.0.2.1, 10.0.0.1',
    '192.0.2.1',
  ],
  ['a proxy that says nothing', 1, undefined, '127.0.0.1'],
])('%s', async (_what, behindProxy, forwardedFor, source) => {
  expect(await sourceOf(behindProxy, forwardedFor)).toEqual([source])
})
