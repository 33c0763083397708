import { isIP } from 'node:net'
import { describe, expect, test } from 'vitest'
import { invalidRequest, refused, rejectedUnrecorded, unauthenticated, vended } from './outcomes.ts'
import { startTarget } from './target.ts'

describe('Authorization', () => {
  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['a scheme alone', 'Bearer'],
    ['the scheme of somebody else', 'Basic YWRtaW46YWRtaW4='],
    ['a scheme for keys that are proven', 'DPoP JWT'],
    ['two credentials with a comma', 'Bearer JWT, ApiKey KEY'],
    ['two credentials with a space', 'ApiKey KEY KEY'],
    ['parameters behind the credential', 'ApiKey KEY;admin=true'],
    ['quotes', 'ApiKey "KEY"'],
    ['a tab for the space', 'ApiKey\tKEY'],
    ['a key of another length', 'ApiKey KEYx'],
    ['a key in capitals', 'ApiKey UPPER'],
    ['a hash in place of the key', 'ApiKey HASH'],
    ['a key with padding', 'ApiKey KEY=='],
    ['the credential without its scheme', 'KEY'],
  ])('%s', async (_name, template) => {
    const { signer, apiKey, attack } = await startTarget()
    const authorization = template
      ?.replaceAll('KEY', apiKey)
      .replace('JWT', signer.jwt())
      .replace('UPPER', apiKey.toUpperCase())
      .replace('HASH', 'a'.repeat(64))
    const { headers, ...outcome } = await attack(authorization === undefined ? {} : { authorization })
    expect({ headers, ...outcome }).toMatchObject(unauthenticated())
    expect(JSON.stringify(outcome)).not.toContain(apiKey)
  })

  test('two Authorization headers, the second with a good credential', async () => {
    const { apiKey, attack } = await startTarget()
    const outcome = await attack({
      authorization: 'ApiKey wrong',
      headers: [['Authorization', `ApiKey ${apiKey}`]],
    })
    expect([400, 401]).toContain(outcome.status)
  })

  test('a credential in the query, in a cookie or in the body does not count', async () => {
    const { apiKey, attack } = await startTarget()
    const headers = [['Cookie', `authorization=ApiKey ${apiKey}`]] as const
    const outcome = await attack({ path: `/v1/tokens?access_token=${apiKey}`, headers })
    expect(outcome).toMatchObject(unauthenticated())
  })

  test('without a credential, the reply names both schemes and no error (RFC 6750 3.1)', async () => {
    const { attack } = await startTarget()
    const challenge = (await attack({})).headers['www-authenticate']
    expect(challenge).toMatch(/\bBearer\b/)
    expect(challenge).toMatch(/\bApiKey\b/)
    expect(challenge).not.toContain('error')
  })

  test('with a wrong credential, the challenge says so', async () => {
    const { attack } = await startTarget()
    const { headers } = await attack({ jwt: 'a.b.c' })
    expect(headers['www-authenticate']).toContain('error="invalid_token"')
  })
})

describe('Host', () => {
  test.each([
    ['none', []],
    ['two of them, to poison a cache in front', ['jeton.example', 'evil.example']],
    ['two equal ones', ['jeton.example', 'jeton.example']],
  ])('%s', async (_name, hosts) => {
    const { apiKey, attack } = await startTarget()
    const outcome = await attack({ authorization: `ApiKey ${apiKey}`, hosts })
    expect(outcome).toMatchObject(rejectedUnrecorded(400, 'invalid_request'))
  })
})

describe('a body that says it is something else', () => {
  test.each([
    ['a form', 'Content-Type', 'application/x-www-form-urlencoded', 415],
    ['text, which browsers send across origins', 'Content-Type', 'text/plain', 415],
    ['JSON by its ending alone', 'Content-Type', 'text/json', 415],
    ['a problem', 'Content-Type', 'application/problem+json', 415],
    ['gzip', 'Content-Encoding', 'gzip', 415],
    ['compressed twice', 'Content-Encoding', 'deflate, br', 415],
    ['an encoding that nobody knows', 'Content-Encoding', 'x-secret', 415],
  ])('%s', async (_name, name, value, status) => {
    const { apiKey, attack } = await startTarget()
    const outcome = await attack({ authorization: `ApiKey ${apiKey}`, headers: [[name, value]] })
    expect(outcome).toMatchObject(refused(status, 'unsupported_media_type'))
  })
})

describe('methods and paths', () => {
  test.each([
    ['GET', '/v1/tokens', 'POST'],
    ['PUT', '/v1/tokens', 'POST'],
    ['DELETE', '/v1/databases', 'GET'],
    ['POST', '/healthz', 'GET'],
    ['PATCH', '/v1/ca/global.pem', 'GET'],
    ['OPTIONS', '/v1/tokens', 'POST'],
  ])('%s %s is answered with what is allowed', async (method, path, allowed) => {
    const { attack } = await startTarget()
    const outcome = await attack({ method, path, body: '' })
    expect(outcome).toMatchObject({ status: 405, code: 'method_not_allowed', record: undefined })
    expect(outcome.headers.allow?.split(/, */)).toContain(allowed)
  })

  test.each([
    '/v1/tokens/',
    '//v1/tokens',
    '/v1/../v1/tokens',
    '/V1/TOKENS',
    '/v1/tokens%00',
    '/v1/tokens;x=y',
    '/v1%2ftokens',
    '/metrics',
    '/v1/ca/..%2f..%2fjeton.json.pem',
    '/v1/ca/__proto__.pem',
    '/v1/ca/constructor.pem',
  ])('%s leads nowhere', async path => {
    const { apiKey, attack } = await startTarget()
    const method = path.includes('tokens') || path.includes('TOKENS') ? 'POST' : 'GET'
    const outcome = await attack({ method, path, authorization: `ApiKey ${apiKey}` })
    expect(outcome).toMatchObject(rejectedUnrecorded(404, 'not_found'))
  })

  test('a method in a header counts for nothing', async () => {
    const { apiKey, attack } = await startTarget()
    const outcome = await attack({
      method: 'GET',
      path: '/v1/databases',
      authorization: `ApiKey ${apiKey}`,
      headers: [
        ['X-HTTP-Method-Override', 'POST'],
        ['X-Original-URL', '/v1/tokens'],
        ['X-Rewrite-URL', '/metrics'],
      ],
    })
    expect(outcome).toMatchObject({
      status: 200,
      body: { databases: [expect.objectContaining({ database: 'orders' })] },
    })
  })

  test('a token is cached by nobody, whatever the request asks for', async () => {
    const { apiKey, attack } = await startTarget()
    const headers = [
      ['Cache-Control', 'only-if-cached, max-stale'],
      ['If-None-Match', '*'],
      ['Range', 'bytes=0-9'],
    ] as const
    const outcome = await attack({ authorization: `ApiKey ${apiKey}`, headers })
    expect(outcome).toMatchObject(vended())
    expect(outcome.headers['cache-control']).toBe('no-store')
  })
})

describe('X-Request-Id', () => {
  test.each(['00000000-0000-4000-8000-000000000000', '"},{"forged":true', 'x'.repeat(500)])(
    'a caller does not choose the id of its record: %s',
    async id => {
      const { attack } = await startTarget()
      const outcome = await attack({ headers: [['X-Request-Id', id]] })
      expect(outcome.headers['x-request-id']).not.toBe(id)
      expect(outcome.record).toMatchObject({ requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    },
  )
})

describe('X-Forwarded-For', () => {
  const sourceIpFor = async (forwarded: string, config: object = { server: { behindProxy: 1 } }) => {
    const { attack } = await startTarget({ config })
    return (await attack({ headers: [['X-Forwarded-For', forwarded]] })).record?.sourceIp
  }

  test('without a proxy in front, the header counts for nothing', async () => {
    expect(await sourceIpFor('198.51.100.7', {})).toBe('127.0.0.1')
  })

  test.each([
    ['what the caller wrote before the proxy', '10.0.0.1, 198.51.100.7', '198.51.100.7'],
    ['a port', '198.51.100.7:51234', '198.51.100.7'],
    ['IPv6 with a port', '[2001:db8:7::9]:8443', '2001:db8:7::9'],
    ['IPv6 in brackets', '[2001:db8:7::9]', '2001:db8:7::9'],
    ['IPv6 written otherwise', '2001:0DB8:0007:0:0:0:0:0009', '2001:db8:7::9'],
    ['IPv4 within IPv6', '::ffff:198.51.100.7', '198.51.100.7'],
    ['IPv4 within IPv6, in hex', '::ffff:c633:6407', '198.51.100.7'],
  ])('%s is one address', async (_name, forwarded, address) => {
    expect(await sourceIpFor(forwarded)).toBe(address)
  })

  test.each(['unknown', '_hidden', '999.1.1.1', '"><script>', '198.51.100.7:99999999', 'localhost', '::1::'])(
    'what is no address is not recorded as one: %s',
    async forwarded => {
      const sourceIp = await sourceIpFor(forwarded)
      expect(sourceIp === undefined || isIP(sourceIp) > 0).toBe(true)
    },
  )

  test('an attacker that changes its port each time is limited as one address', async () => {
    const { attack } = await startTarget({ config: { server: { behindProxy: 1 } } })
    const statuses: number[] = []
    for (let i = 0; i < 104; i++)
      statuses.push((await attack({ headers: [['X-Forwarded-For', `198.51.100.7:${20_000 + i}`]] })).status)
    expect(statuses.slice(0, 100)).toEqual(Array(100).fill(401))
    expect(statuses.slice(-3)).toEqual([429, 429, 429])
  })

  test('an attacker that writes one address in many ways is limited as one', async () => {
    const { attack } = await startTarget({ config: { server: { behindProxy: 1 } } })
    const ways = ['198.51.100.9', '::ffff:198.51.100.9', '::FFFF:C633:6409', '[::ffff:198.51.100.9]:1']
    const statuses: number[] = []
    for (let i = 0; i < 104; i++)
      statuses.push(
        (await attack({ headers: [['X-Forwarded-For', ways[i % ways.length] as string]] })).status,
      )
    expect(statuses.at(-1)).toBe(429)
  })
})

test('a good credential is served, however often others failed from its address', async () => {
  const { apiKey, attack } = await startTarget()
  for (let i = 0; i < 101; i++) await attack({ authorization: 'ApiKey guess' })
  expect(await attack({ authorization: 'ApiKey guess' })).toMatchObject({ status: 429, code: 'rate_limited' })
  expect(await attack({ authorization: `ApiKey ${apiKey}` })).toMatchObject(vended({ grant: 'report' }))
})

test('what fails says nothing of how jeton is built', async () => {
  const { attack } = await startTarget()
  const { body, headers } = await attack({ body: '{', jwt: 'a.b.c' })
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts|\.mjs|at [\w.]+ \(/)
  expect(Object.keys(headers)).not.toContain('x-powered-by')
  expect(Object.keys(headers)).not.toContain('server')
})

test('the type of a problem is an address that says what it is (RFC 9457 4.2.1)', async () => {
  const { attack } = await startTarget()
  const { body } = await attack({})
  expect(body).toMatchObject({
    type: expect.stringMatching(/^[a-z]+:.*unauthenticated/),
  })
})

test('the credential is checked before the body', async () => {
  const { attack } = await startTarget()
  expect(await attack({ body: 'x'.repeat(17_000) })).toMatchObject(unauthenticated())
})

test('a body that does not match its schema is the verified caller’s fault, by name', async () => {
  const { apiKey, attack } = await startTarget()
  const outcome = await attack({ authorization: `ApiKey ${apiKey}`, body: { database: 7 } })
  expect(outcome).toMatchObject(invalidRequest({ principal: expect.objectContaining({ subject: 'report' }) }))
})
