import { expect, test } from 'vitest'
import { startApi, UNREACHABLE_ISSUER } from '../support/service/app.ts'
import { expectRefusal, requestToken } from './support.ts'

test('callers with random keys do not make a key rotation fail: 503 until the key is known, then the token', async () => {
  const api = await startApi({ hasPinnedKeys: false })
  expect((await requestToken(api, { authorization: await api.bearer() })).status).toBe(200)
  const flood = async (count: number) => {
    const statuses = []
    for (let i = 0; i < count; i++) {
      const authorization = await api.bearer({ jti: `${i}` }, { header: { kid: `random-${i}` } })
      statuses.push((await requestToken(api, { authorization })).status)
    }
    return statuses
  }
  // what a fetch of its own has shown to be unknown is refused for certain
  expect(await flood(6)).toEqual([401, 401, 401, 401, 503, 503])
  await api.issuer.rotate({ keepOld: true })
  const authorization = await api.bearer()
  const reply = await requestToken(api, { authorization })
  const record = expectRefusal(api, reply, 'temporarily_unavailable')
  expect(record).toMatchObject({ decision: 'failed', principal: undefined })
  expect(record.reason).toBe(
    `none of the known keys of ${api.issuer.url} has signed this JWT, and they cannot be fetched again yet`,
  )
  expect(reply.headers['retry-after']).toBe('10')
  await api.clock.advance(10_000)
  await flood(1)
  expect((await requestToken(api, { authorization })).status).toBe(200)
})

test('what is not known does not count as a failure to authenticate', async () => {
  const api = await startApi({ hasPinnedKeys: false })
  for (let i = 0; i < 150; i++) {
    const authorization = await api.bearer({ jti: `${i}` }, { header: { kid: `random-${i}` } })
    expect((await requestToken(api, { authorization })).status).toBe(i < 5 ? 401 : 503)
  }
  expect((await requestToken(api, { authorization: 'Bearer bad' })).status).toBe(401)
})

test('an issuer that was never reached is answered with 503 and when to try again', async () => {
  const api = await startApi()
  const authorization = await api.bearer({ iss: UNREACHABLE_ISSUER })
  const reply = await requestToken(api, { authorization })
  const record = expectRefusal(api, reply, 'temporarily_unavailable')
  expect(record.reason).toContain(`the keys of ${UNREACHABLE_ISSUER} cannot be fetched`)
  expect(reply.headers['retry-after']).toBe('2')
})

test('claims nested 3,000 deep are unauthenticated, with a record, and no 500', async () => {
  const api = await startApi()
  const exp = api.clock.now() / 1000 + 300
  const deep = '['.repeat(3000) + ']'.repeat(3000)
  const jwt = await api.issuer.signText(
    `{"iss":"${api.issuer.url}","aud":"jeton","sub":"x","exp":${exp},"a":${deep}}`,
  )
  const reply = await requestToken(api, { authorization: `Bearer ${jwt}` })
  const record = expectRefusal(api, reply, 'unauthenticated')
  expect(record.reason).toBe('issuer github: the claims of the JWT are nested more than 32 deep')
})

test('a body nested thousands deep is an invalid request, with a record, and no 500', async () => {
  const api = await startApi()
  const nested = (open: string, close: string) => open.repeat(2000) + close.repeat(2000)
  for (const deep of [nested('[', ']'), nested('{"a":', '').concat('1', '}'.repeat(2000))])
    for (const body of [`{"database":"orders","user":${deep}}`, `{"database":${deep}}`, deep]) {
      const reply = await requestToken(api, { authorization: await api.bearer(), body })
      const record = expectRefusal(api, reply, 'invalid_request')
      expect(record.reason).not.toBe('')
    }
})

test.each([
  ['a logout token', {}, { typ: 'logout+jwt' }, 'the "typ" of the JWT is "logout+jwt"'],
  ['a security event', {}, { typ: 'secevent+jwt' }, 'the "typ" of the JWT is "secevent+jwt"'],
  ['a sender-constrained token', { cnf: { jkt: 'x' } }, {}, 'bound to a key ("cnf")'],
  ['a JWT for two days', { exp: 4_000_000_000 }, {}, 'at most 86400 s are accepted'],
])('%s is unauthenticated, and its record says why', async (_what, claims, header, reason) => {
  const api = await startApi()
  const reply = await requestToken(api, { authorization: await api.bearer(claims, { header }) })
  expect(expectRefusal(api, reply, 'unauthenticated').reason).toContain(reason)
})

test('a claim of 9 KB meets no wildcard, and the record says that it is too long', async () => {
  const principal = { issuer: 'github', claims: { ref: 'refs/**/v**' } }
  const grants = [{ name: 'tags', principal, database: 'orders', users: ['migrator'] }]
  const api = await startApi({ config: { grants } })
  const bearer = (length: number) => api.bearer({ ref: `refs/tags/v${'1'.repeat(length)}` })
  expect((await requestToken(api, { authorization: await bearer(2000) })).status).toBe(200)
  const reply = await requestToken(api, { authorization: await bearer(9000) })
  expect(expectRefusal(api, reply, 'access_denied').reason).toMatch(
    /^nearest grant tags: claim ref is "refs\/tags\/v1+…" \(9011 characters: wildcards match 2048 at most\), /,
  )
})

test('a JWT with padding is unauthenticated', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  for (const padded of [`${authorization}=`, `${authorization}==`]) {
    const reply = await requestToken(api, { authorization: padded })
    expect(expectRefusal(api, reply, 'unauthenticated').reason).toBe('the credential is not a signed JWT')
  }
  expect((await requestToken(api, { authorization })).status).toBe(200)
})
