import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { type CallerError, errorLine } from '../../src/client/errors.ts'
import type { Send } from '../../src/client/http.ts'
import { type JetonServer, requestJeton } from '../../src/client/jeton-request.ts'
import { createNodeSend } from '../../src/client/node-http.ts'
import { settle, virtualClock } from '../support/clock/virtual-clock.ts'
import { startSocketServer } from '../support/egress/socket-server.ts'
import { HOSTILE_CHARACTERS } from '../support/hostile-text.ts'
import { type ApiStub, problem, someJwt, startApiStub } from '../support/service/api-stub.ts'

const jwt = someJwt()
let api: ApiStub
beforeEach(async () => {
  api = await startApiStub()
})
afterEach(() => api.close())

const server = (over: Partial<JetonServer> = {}): JetonServer => ({
  url: api.url,
  credential: async () => `Bearer ${jwt}`,
  waitMs: 0,
  clock: virtualClock(),
  send: createNodeSend(),
  ...over,
})

const refusal = (over: Partial<JetonServer> = {}): Promise<CallerError> =>
  requestJeton({ path: '/v1/whoami' }, server(over)).then(
    () => expect.unreachable('nothing was refused'),
    cause => cause,
  )

describe('requestJeton', () => {
  test('sends the credential and the version to a path of the server', async () => {
    const requests: unknown[] = []
    const send: Send = async request => {
      requests.push(request)
      return { status: 200, headers: {}, body: Buffer.from('{"a":1}') }
    }
    const reply = await requestJeton(
      { path: '/v1/whoami' },
      server({ send, url: 'https://jeton.example/stage/' }),
    )
    expect(reply).toMatchObject({ status: 200, host: 'jeton.example', body: { a: 1 } })
    await requestJeton(
      { method: 'POST', path: '/v1/tokens', body: { x: 1 } },
      server({ send, program: 'other' }),
    )
    const accept = 'application/json, application/problem+json'
    expect(requests).toEqual([
      {
        url: new URL('https://jeton.example/stage/v1/whoami'),
        headers: { authorization: `Bearer ${jwt}`, accept, 'user-agent': `jeton-client/${manifest.version}` },
      },
      {
        url: new URL(`${api.url}/v1/tokens`),
        method: 'POST',
        headers: {
          authorization: `Bearer ${jwt}`,
          accept,
          'user-agent': `other/${manifest.version}`,
          'content-type': 'application/json',
        },
        body: '{"x":1}',
      },
    ])
  })

  test('tells a caller who is refused as whom, by which credential, and which record to ask for', async () => {
    const principal = { issuer: 'github', subject: 'repo:acme/shop:ref:refs/heads/main' }
    api.answers = [problem(403, 'access_denied', { principal, auditId: 'a-7' })]
    const error = await refusal({ identity: "GitHub Actions' OIDC token, audience jeton" })
    expect(error).toMatchObject({ exitCode: 3, principal, auditId: 'a-7', isTemporary: false })
    expect(errorLine(error)).toBe(
      'jeton: why: access_denied (access_denied, request id req-1, audit id a-7); you are "repo:acme/shop:ref:refs/heads/main" of the issuer "github", the credential is GitHub Actions\' OIDC token, audience jeton\n',
    )
  })

  test.each([
    ['no principal', null],
    ['half a principal', { issuer: 'github' }],
    ['a principal of other types', { issuer: 1, subject: ['x'] }],
  ])('understands a refusal with %s', async (_what, principal) => {
    api.answers = [problem(403, 'access_denied', { principal, auditId: 7 })]
    expect(await refusal()).toMatchObject({ exitCode: 3, principal: undefined, auditId: undefined })
  })

  test('prints nothing of a refusal that forges a line, and never the credential', async () => {
    const evil = Object.values(HOSTILE_CHARACTERS).join('x')
    const principal = { issuer: `${evil}${jwt}`, subject: `${'s'.repeat(600)}${evil}` }
    api.answers = [problem(403, 'access_denied', { principal, auditId: `${evil}${jwt}` })]
    const line = errorLine(await refusal())
    expect(line).not.toContain(jwt)
    expect(line.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(line.length).toBeLessThan(2500)
  })

  test('says nothing of the credential if the server is only busy', async () => {
    api.answers = [problem(429, 'throttled')]
    expect(errorLine(await refusal({ identity: 'the JWT in JETON_JWT' }))).not.toContain('JETON_JWT')
  })

  test('ends a request, and a wait, when the caller gives up', async () => {
    const silent = await startSocketServer(socket => socket.resume())
    const caller = new AbortController()
    const ended = refusal({ url: `http://127.0.0.1:${silent.port}`, signal: caller.signal, waitMs: 60_000 })
    const reason = new Error('the pool is closed')
    setImmediate(() => caller.abort(reason))
    expect(await ended).toBe(reason)
    await silent.close()

    api.answers = [problem(503, 'temporarily_unavailable')]
    const another = new AbortController()
    const waiting = refusal({ signal: another.signal, waitMs: 60_000 })
    while (api.requests.length === 0) await settle()
    another.abort(reason)
    expect(await waiting).toBe(reason)
    expect(api.requests).toHaveLength(1)
  })

  test('tries again after what passes, and reads the credential anew', async () => {
    const clock = virtualClock()
    let attempts = 0
    const credential = async () => `Bearer ${++attempts}`
    api.answers = [problem(504, 'x'), { status: 502, body: '<html>' }, { body: {} }]
    const reply = requestJeton(
      { path: '/v1/whoami' },
      server({ clock, credential, waitMs: 60_000, random: () => 0.5 }),
    )
    for (const count of [1, 2]) {
      while (api.requests.length < count) await settle()
      for (let i = 0; i < 20; i++) await settle()
      await clock.advance(2000)
    }
    expect(await reply).toMatchObject({ status: 200 })
    expect(api.requests.map(({ authorization }) => authorization)).toEqual([
      'Bearer 1',
      'Bearer 2',
      'Bearer 3',
    ])
  })
})
