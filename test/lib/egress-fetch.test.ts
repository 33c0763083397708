import { type AddressInfo, createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { createEgressFetch, type EgressFetchParts } from '../../src/lib/egress-fetch.ts'
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

function egressFetch(env: Record<string, string>, parts: Partial<EgressFetchParts> = {}): Fetch {
  const { findProxy, problems } = readEgressProxies(env)
  expect(problems).toEqual([])
  return createEgressFetch({ fetch: globalThis.fetch, findProxy, ...parts })
}

const failureOf = (env: Record<string, string>, parts: Partial<EgressFetchParts> = {}) =>
  fetchJson(URL_BEHIND, { fetch: egressFetch(env, parts), clock: systemClock() }).then(
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

  test('a proxy that takes connections and says nothing', async () => {
    proxy.isSilent = true
    const message = await failureOf(at(proxy.port), { stepTimeoutMs: 200 })
    expect(message).toBe(
      `issuer.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (UND_ERR_HEADERS_TIMEOUT)`,
    )
    await expect.poll(() => proxy.connections()).toBe(0)
  })

  test('the same before a request to an issuer has taken as long as it may', async () => {
    proxy.isSilent = true
    expect(await failureOf(at(proxy.port))).toContain(`through the proxy 127.0.0.1:${proxy.port}`)
  })

  test('a proxy that opens a tunnel in which nobody speaks', async () => {
    const silent = createServer(socket => void socket.on('error', () => {}).resume())
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const opening = await startEgressProxy({ routes: { 'issuer.example:443': port } })
    const message = await failureOf(at(opening.port, ''), { stepTimeoutMs: 200 })
    expect(message).toContain(`through the proxy 127.0.0.1:${opening.port} (UND_ERR_CONNECT_TIMEOUT)`)
    await opening.close()
    silent.close()
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
    {
      async fetch(target) {
        direct.push(String(target))
        return globalThis.fetch(stub.url)
      },
    },
  )
  for (const target of [URL_BEHIND, new URL(URL_BEHIND), stub.url, new Request(URL_BEHIND)])
    expect(await (await fetch(target)).json()).toEqual({ a: 1 })
  expect(direct).toHaveLength(4)
  expect(proxy.requests).toEqual([])
  await stub.close()
})
