import { expect, test } from 'vitest'
import { createIssuerKeysCache } from '../../src/authentication/issuer-keys-cache.ts'
import { refusal, startTestIssuer } from './support.ts'

const header = { alg: 'ES256', kid: 'key-1' }

async function startCache() {
  const parts = await startTestIssuer()
  const { clock, log, health, backgroundTasks } = parts
  const cache = createIssuerKeysCache({ clock, log, health, backgroundTasks, fetch: globalThis.fetch })
  return { ...parts, cache }
}

test('createIssuerKeysCache fetches once for all issuers of a URL', async () => {
  const { cache, issuer } = await startCache()
  await cache.of({ issuer: issuer.url }).resolve(header)
  await cache.of({ issuer: issuer.url }).resolve(header)
  expect(issuer.requests).toEqual({ discovery: 1, keys: 1 })
})

test('createIssuerKeysCache never fetches for pinned keys, nor mixes them with discovered ones', async () => {
  const { cache, issuer } = await startCache()
  const pinned = cache.of({ issuer: issuer.url, jwks: issuer.jwks() })
  await pinned.resolve(header)
  expect(issuer.requests).toEqual({ discovery: 0, keys: 0 })
  expect(cache.of({ issuer: issuer.url }).version).toBeUndefined()
})

test('retain keeps the last good keys of an issuer that is down', async () => {
  const { cache, issuer, clock } = await startCache()
  await cache.of({ issuer: issuer.url }).resolve(header)
  issuer.fault = 'down'
  await clock.advance(3_600_000)
  cache.retain([{ issuer: issuer.url }])
  expect((await cache.of({ issuer: issuer.url }).resolve(header)).keys).toHaveLength(1)
})

test('retain drops the keys of an issuer that is not named, or only with pinned keys', async () => {
  const { cache, issuer } = await startCache()
  for (const named of [[], [{ issuer: issuer.url, jwks: issuer.jwks() }]]) {
    await cache.of({ issuer: issuer.url }).resolve(header)
    cache.retain(named)
    expect(cache.of({ issuer: issuer.url }).version).toBeUndefined()
  }
  expect(issuer.requests.keys).toBe(2)
})

test('retain reports an issuer that it drops as healthy, since nothing depends on it any more', async () => {
  const { cache, issuer, health } = await startCache()
  issuer.fault = 'down'
  const error = await refusal(cache.of({ issuer: issuer.url }).resolve(header))
  expect(error.code).toBe('temporarily_unavailable')
  expect(health.degraded()).toEqual(['keys'])
  cache.retain([])
  expect(health.degraded()).toEqual([])
})
