import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { createEgressFetch } from '../../src/lib/egress-fetch.ts'
import { readEgressProxies } from '../../src/lib/egress-proxies.ts'
import { type Fetch, fetchJson } from '../../src/lib/fetch-json.ts'
import { type EgressProxyServer, startEgressProxy } from '../support/egress/egress-proxy.ts'
import { startApiStub } from '../support/service/api-stub.ts'

const URL_BEHIND = 'https://issuer.example/keys'
let proxy: EgressProxyServer

beforeEach(async () => {
  proxy = await startEgressProxy({ routes: {}, credentials: 'user:s3cret' })
})
afterEach(() => proxy.close())

function egressFetch(env: Record<string, string>, fetch: Fetch = globalThis.fetch): Fetch {
  const { findProxy, problems } = readEgressProxies(env)
  expect(problems).toEqual([])
  return createEgressFetch({ fetch, findProxy })
}

const failureOf = (env: Record<string, string>) =>
  fetchJson(URL_BEHIND, { fetch: egressFetch(env), clock: systemClock() }).then(
    () => expect.unreachable('it was reached'),
    (cause: Error) => cause.message,
  )
const at = (port: number, credentials = 'user:s3cret@') => ({
  HTTPS_PROXY: `http://${credentials}127.0.0.1:${port}`,
})

describe('an error names the proxy, and not its password:', () => {
  test('a tunnel that the proxy cannot open', async () => {
    expect(await failureOf(at(proxy.port))).toBe(
      `issuer.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (PROXY_ANSWERED_502)`,
    )
    expect(proxy.requests).toEqual(['CONNECT issuer.example:443'])
  })

  test.each(['', 'user:wrong-s3cret@', 'user@'])('no or wrong credentials: %j', async credentials => {
    const message = await failureOf(at(proxy.port, credentials))
    expect(message).toBe(
      `issuer.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (PROXY_ANSWERED_407)`,
    )
  })

  test('a host that the proxy forbids', async () => {
    proxy.refusal = 403
    expect(await failureOf(at(proxy.port))).toContain(`127.0.0.1:${proxy.port} (PROXY_ANSWERED_403)`)
  })

  test('a proxy that nobody is', async () => {
    await proxy.close()
    expect(await failureOf(at(proxy.port))).toBe(
      `issuer.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (ECONNREFUSED)`,
    )
  })

  test('a proxy whose name is unknown', async () => {
    const message = await failureOf({ HTTPS_PROXY: 'http://user:s3cret@proxy.invalid:3128' })
    expect(message).toMatch(
      /^issuer\.example cannot be reached through the proxy proxy\.invalid:3128 \((ENOTFOUND|EAI_AGAIN)\)$/,
    )
  })

  test('one that speaks no TLS though it should', async () => {
    const message = await failureOf({ HTTPS_PROXY: `https://user:s3cret@127.0.0.1:${proxy.port}` })
    expect(message).toMatch(
      new RegExp(
        `^issuer\\.example cannot be reached through the proxy 127\\.0\\.0\\.1:${proxy.port} \\(\\w+\\)$`,
      ),
    )
    expect(message).not.toContain('s3cret')
  })
})

test('what is excepted, and this machine always, is fetched directly', async () => {
  const stub = await startApiStub()
  stub.answers = [{ body: { a: 1 } }]
  const direct: string[] = []
  const fetch = egressFetch(
    { ...at(proxy.port), HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: 'issuer.example' },
    async target => {
      direct.push(String(target))
      return globalThis.fetch(stub.url)
    },
  )
  for (const target of [URL_BEHIND, new URL(URL_BEHIND), stub.url, new Request(URL_BEHIND)])
    expect(await (await fetch(target)).json()).toEqual({ a: 1 })
  expect(direct).toHaveLength(4)
  expect(proxy.requests).toEqual([])
  await stub.close()
})
