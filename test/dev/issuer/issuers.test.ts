import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type IssuerStandIns,
  type StandInIssuer,
  startIssuerStandIns,
} from '../../../src/dev/issuer/issuers.ts'

const CI: StandInIssuer = {
  name: 'ci',
  issuer: 'https://ci.example',
  audience: 'jeton',
  lifetimeSeconds: 60,
  claims: { sub: 'job', ref: 'main' },
}
const CLUSTER: StandInIssuer = { ...CI, name: 'cluster', claims: {} }

let issuers: IssuerStandIns
beforeEach(async () => {
  issuers = await startIssuerStandIns(Date.now)
  await issuers.publish([CI, CLUSTER])
})
afterEach(() => issuers.close())

async function request(name: string, init: RequestInit = {}) {
  const response = await fetch(`${issuers.urlOf(name)}/jwt`, init)
  return { status: response.status, text: (await response.text()).trim() }
}

async function verify(jwt: string, name = 'ci') {
  const { payload } = await jwtVerify(jwt, createLocalJWKSet(issuers.keysOf(name)))
  return payload
}

test('a GET gets the claims of the issuer, a POST those of its body in their place', async () => {
  const now = Math.floor(Date.now() / 1000)
  const payload = await verify((await request('ci')).text)
  expect(payload).toMatchObject({ iss: CI.issuer, aud: 'jeton', sub: 'job', ref: 'main' })
  expect(Math.abs((payload.iat ?? 0) - now)).toBeLessThan(10)
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60)
  const body = JSON.stringify({ ref: 'other', sub: null, exp: 4_000_000_000 })
  const changed = await verify((await request('ci', { method: 'POST', body })).text)
  expect(changed).toMatchObject({ ref: 'other', exp: 4_000_000_000 })
  expect(changed).not.toHaveProperty('sub')
})

test('each issuer has a key of its own, and keeps it when others come and go', async () => {
  const jwt = await issuers.sign('ci')
  await expect(verify(jwt, 'cluster')).rejects.toThrow()
  await issuers.publish([CI])
  expect(await verify(jwt)).toMatchObject({ sub: 'job' })
  expect((await request('cluster')).status).toBe(404)
  expect(() => issuers.keysOf('cluster')).toThrow('there is no issuer cluster')
})

test.each([
  ['evil.example', 403],
  ['evil.example:8080', 403],
  ['127.0.0.1.evil.example', 403],
  ['localhost:8080', 200],
  ['[::1]:8080', 200],
])('a page at %s, by a name that leads to loopback, is answered %i', async (host, status) => {
  const [response] = (await once(get(`${issuers.urlOf('ci')}/jwt`, { headers: { host } }), 'response')) as [
    IncomingMessage,
  ]
  const body = await text(response)
  expect([response.statusCode, body.startsWith('ey')]).toEqual([status, status === 200])
})

test('what is no JSON object, or too long, gets no JWT', async () => {
  for (const body of ['[]', 'ref=main', `{"a":"${'x'.repeat(17_000)}"}`]) {
    const { status, text } = await request('ci', { method: 'POST', body })
    expect([status, text]).toEqual([400, 'send the claims as a JSON object of at most 16 KiB'])
  }
})

test('discovery leads to the public key, and to no private one', async () => {
  const discovery = await fetch(`${issuers.urlOf('ci')}/.well-known/openid-configuration`)
  const { issuer, jwks_uri: keysUrl } = (await discovery.json()) as { issuer: string; jwks_uri: string }
  expect(issuer).toBe(CI.issuer)
  const { keys } = (await (await fetch(keysUrl)).json()) as { keys: object[] }
  expect(keys).toEqual(issuers.keysOf('ci').keys)
  expect(keys[0]).not.toHaveProperty('d')
})
