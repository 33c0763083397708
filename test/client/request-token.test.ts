import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CallerError, errorLine } from '../../src/client/errors.ts'
import type { Send } from '../../src/client/http.ts'
import type { JetonServer } from '../../src/client/jeton-request.ts'
import { createNodeSend } from '../../src/client/node-http.ts'
import { requestToken } from '../../src/client/request-token.ts'
import { settle, virtualClock } from '../support/clock/virtual-clock.ts'
import { type ApiStub, problem, sampleReply, someJwt, startApiStub } from '../support/service/api-stub.ts'

const jwt = someJwt()
let api: ApiStub

beforeEach(async () => {
  api = await startApiStub()
})
afterEach(() => api.close())

function options(over: Partial<JetonServer> = {}): JetonServer {
  return {
    url: api.url,
    credential: async () => `Bearer ${jwt}`,
    waitMs: 0,
    clock: virtualClock(),
    send: createNodeSend(),
    ...over,
  }
}

function request(over: Partial<JetonServer> = {}, caPem = false) {
  return requestToken({ database: 'orders', ...(caPem && { caPem }) }, options(over))
}

const failure = (over: Partial<JetonServer> = {}): Promise<CallerError> =>
  request(over).then(
    () => expect.unreachable(),
    cause => cause,
  )

/** Lets the real network answer while virtual time stands still. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await settle()
}

describe('requestToken', () => {
  test('posts the request under the path of the URL, and returns the whole reply', async () => {
    const reply = sampleReply({ more: 'to come' })
    api.answers = [{ body: reply }]
    expect(await request({ url: `${api.url}/stage/?x=1` }, true)).toEqual(reply)
    expect(api.requests).toEqual([
      {
        method: 'POST',
        path: '/stage/v1/tokens',
        authorization: `Bearer ${jwt}`,
        body: '{"database":"orders","caPem":true}',
      },
    ])
  })

  test.each([
    [401, 'unauthenticated', 3],
    [403, 'access_denied', 3],
    [404, 'not_found', 3],
    [400, 'invalid_request', 2],
    [400, 'another', 3],
    [429, 'throttled', 4],
    [503, 'temporarily_unavailable', 4],
    [500, 'internal_error', 1],
    [502, 'role_refused', 1],
    [418, 'teapot', 1],
  ])('maps %s %s to exit code %s', async (status, code, exitCode) => {
    api.answers = [problem(status, code)]
    const error = await failure()
    expect(error).toMatchObject({ exitCode, code, requestId: 'req-1', message: `why: ${code}` })
    expect(errorLine(error)).toContain(`jeton: why: ${code} (${code}, request id req-1`)
  })

  test('understands an answer that is not from jeton', async () => {
    api.answers = [{ status: 503, body: '<html>' }]
    expect(await failure()).toMatchObject({
      exitCode: 4,
      code: undefined,
      isTemporary: true,
      retryAfterMs: undefined,
      message: expect.stringContaining('answered 503 (Service Unavailable) with a web page'),
    })
  })

  test('prints neither the credential nor anything that forges a line from a server’s answer', async () => {
    api.answers = [
      problem(401, 'unauthenticated', {
        detail: `bad ${jwt}\n\u001b[2Jjeton: \u202eall well`,
        requestId: jwt,
      }),
    ]
    const line = errorLine(await failure())
    expect(line).not.toContain(jwt)
    expect(line.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  test.each([
    ['no token', { token: undefined }],
    ['a token with a line break', { token: 'a\nb' }],
    ['a host that is not one', { host: '$(id)' }],
    ['a port that is not one', { port: '5432' }],
    ['a user that breaks a line', { user: 'a\nssl-ca=/x' }],
    ['a CA that is not one', { ca: { pem: 'nothing' } }],
  ])('refuses a reply with %s', async (_what, over) => {
    api.answers = [{ body: sampleReply(over) }]
    expect(await failure()).toMatchObject({ exitCode: 1, message: expect.stringContaining('is not a token') })
  })

  test('refuses a reply without the CA bundle that was requested', async () => {
    api.answers = [{ body: sampleReply({ ca: {} }) }]
    await expect(request({}, true)).rejects.toMatchObject({ exitCode: 1 })
    await expect(request({}, false)).resolves.toBeDefined()
  })

  test('stops reading an answer that is too long', async () => {
    api.answers = [{ body: 'x'.repeat(1024 * 1024 + 1) }]
    expect((await failure()).message).toContain('more than 1048576 bytes')
  })

  test('does not send its credential where a redirect leads', async () => {
    const other = await startApiStub()
    other.answers = [{ body: sampleReply() }]
    api.answers = [{ status: 307, headers: { location: `${other.url}/v1/tokens` } }]
    expect(await failure()).toMatchObject({ exitCode: 1, message: expect.stringContaining('redirect') })
    expect(other.requests).toEqual([])
    await other.close()
  })

  test.each([
    'http://jeton.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'https://user:hunter2@jeton.example.com',
    'ftp://127.0.0.1',
    'jeton.example.com',
  ])('sends nothing to %s', async url => {
    const sent: unknown[] = []
    const spying: Send = async target => {
      sent.push(target)
      return { status: 200, headers: {}, body: Buffer.from('') }
    }
    const error = await failure({ url, send: spying })
    expect(error.exitCode).toBe(2)
    expect(error.message).not.toContain('hunter2')
    expect(sent).toEqual([])
  })

  test('fails if the server cannot be reached', async () => {
    const gone = await startApiStub()
    await gone.close()
    expect(await failure({ url: gone.url })).toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    })
  })

  test('gives up on a server that hangs after 15 s', async () => {
    const clock = virtualClock()
    const hanging: Send = (_request, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    const error = failure({ clock, send: hanging })
    await clock.advance(14_999)
    await clock.advance(1)
    expect((await error).message).toContain('not answered within 15 s')
  })
})

describe('requestToken with a wait', () => {
  test('retries after Retry-After, with the credential read again', async () => {
    const clock = virtualClock()
    const jwts = [someJwt(), someJwt()]
    api.answers = [{ ...problem(429, 'throttled'), headers: { 'retry-after': '7' } }, { body: sampleReply() }]
    const reply = request({
      clock,
      waitMs: 7000,
      credential: async () => `Bearer ${jwts[api.requests.length]}`,
    })
    await until(() => api.requests.length === 1)
    for (let i = 0; i < 20; i++) await settle()
    await clock.advance(6999)
    expect(api.requests).toHaveLength(1)
    await clock.advance(1)
    await reply
    expect(api.requests.map(request => request.authorization)).toEqual(jwts.map(each => `Bearer ${each}`))
  })

  test.each([
    ['7', 7000],
    [new Date(virtualClock().now() + 7000).toUTCString(), 7000],
    ['0', 1000],
    ['soon', undefined],
    ['9999999999999999', undefined],
  ])('reads Retry-After %s', async (header, retryAfterMs) => {
    api.answers = [{ ...problem(503, 'temporarily_unavailable'), headers: { 'retry-after': header } }]
    expect(await failure()).toMatchObject({ exitCode: 4, isTemporary: true, retryAfterMs })
    expect(api.requests).toHaveLength(1)
  })

  test('does not retry after a refusal', async () => {
    api.answers = [{ ...problem(403, 'access_denied'), headers: { 'retry-after': '1' } }]
    expect((await failure({ waitMs: 60_000 })).exitCode).toBe(3)
    expect(api.requests).toHaveLength(1)
  })
})
