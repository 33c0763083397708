import { expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { publicJwk } from '../config/support.ts'
import { startApi, type TestApi } from '../support/service/app.ts'
import { openRaw, parseReplies } from './raw-socket.ts'

const BODY = '{"database":"orders"}'

/** Sends the headers of a request for a token, and returns a function that sends the rest and resolves with the reply. */
async function holdOpen(api: TestApi, authorization: string) {
  const raw = openRaw(api.port)
  const authenticated = api.records.length
  raw.send(
    `POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: ${authorization}\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: ${BODY.length}\r\n\r\n`,
  )
  // the credential has verified
  await raw.until('100 Continue\r\n\r\n')
  expect(api.records).toHaveLength(authenticated)
  return async () => {
    raw.send(BODY)
    const [reply] = parseReplies((await raw.closed).replace('HTTP/1.1 100 Continue\r\n\r\n', ''))
    return { status: reply?.status, body: JSON.parse(reply?.body ?? '{}') }
  }
}

const JWT_GRANT = {
  name: 'orders-deploy',
  principal: { issuer: 'github', claims: { repository_id: 123456 } },
  database: 'orders',
  users: ['migrator'],
} as const

test.each<[string, 'jwt' | 'key', (api: TestApi) => Partial<Config>, string]>([
  ['the grant is revoked', 'jwt', () => ({ grants: [] }), 'access_denied'],
  [
    'the grant demands another claim',
    'jwt',
    () => ({
      grants: [{ ...JWT_GRANT, principal: { issuer: 'github', claims: { ref: 'refs/heads/other' } } }],
    }),
    'access_denied',
  ],
  ['the issuer is removed', 'jwt', () => ({ issuers: [] }), 'unauthenticated'],
  [
    'the audience is changed',
    'jwt',
    ({ issuer }) => ({
      issuers: [{ name: 'github', issuer: issuer.url, audience: 'other', jwks: issuer.jwks() }],
    }),
    'unauthenticated',
  ],
  [
    "the issuer's keys are replaced",
    'jwt',
    ({ issuer }) => ({
      issuers: [
        { name: 'github', issuer: issuer.url, audience: 'jeton', jwks: { keys: [publicJwk('other')] } },
      ],
    }),
    'unauthenticated',
  ],
  ['the API key is removed', 'key', () => ({ apiKeys: {} }), 'unauthenticated'],
  [
    'the API key is replaced',
    'key',
    () => ({ apiKeys: { 'nightly-report': ['0'.repeat(64)] } }),
    'unauthenticated',
  ],
])(
  'a request whose headers came before a reload and whose body after gets nothing if %s',
  async (_what, kind, change, code) => {
    const api = await startApi({ config: { grants: GRANTS } })
    const authorization = kind === 'jwt' ? await api.bearer() : `ApiKey ${api.apiKey}`
    const finish = await holdOpen(api, authorization)
    api.reload(change(api))
    expect(await finish()).toMatchObject({ status: code === 'access_denied' ? 403 : 401, body: { code } })
    expect(api.records).toMatchObject([
      { decision: 'refused', code, principal: { issuer: kind === 'jwt' ? 'github' : 'apiKey' } },
    ])
  },
)

test('a request that is still granted after a reload gets its token, by the grant of the new policy', async () => {
  const api = await startApi({ config: { grants: GRANTS } })
  const finish = await holdOpen(api, await api.bearer())
  api.reload({ grants: [{ ...JWT_GRANT, name: 'renamed' }] })
  expect(await finish()).toMatchObject({ status: 200, body: { grant: 'renamed' } })
  expect(api.records).toMatchObject([{ decision: 'vended', grant: 'renamed' }])
})

test('who has its token already, and sends the same body after a reload, has no record of what the old policy granted', async () => {
  const api = await startApi({ config: { grants: GRANTS } })
  const authorization = await api.bearer()
  await (await holdOpen(api, authorization))()
  const finish = await holdOpen(api, authorization)
  api.reload({ grants: [] })
  expect(await finish()).toMatchObject({ status: 403 })
  expect(api.records).toMatchObject([{ decision: 'vended' }, { decision: 'refused' }])
})

test('a refusal after a reload names whom the new policy takes the caller for, as its record does', async () => {
  const api = await startApi({ config: { grants: GRANTS } })
  const finish = await holdOpen(api, await api.bearer())
  const renamed = { name: 'renamed', issuer: api.issuer.url, audience: 'jeton', jwks: api.issuer.jwks() }
  api.reload({ issuers: [renamed], grants: [] })
  const { body } = await finish()
  const [record] = api.records
  expect(record?.principal).toMatchObject({ issuer: 'renamed', subject: 'someone' })
  expect(body).toMatchObject({
    auditId: record?.id,
    principal: { issuer: 'renamed', subject: 'someone' },
  })
})

test('a revoked API key lists no databases once a reload has come', async () => {
  const api = await startApi({ config: { grants: GRANTS } })
  const headers = { authorization: `ApiKey ${api.apiKey}` }
  expect((await fetch(`${api.url}/v1/databases`, { headers })).status).toBe(200)
  api.reload({ apiKeys: {} })
  expect((await fetch(`${api.url}/v1/databases`, { headers })).status).toBe(401)
})

const GRANTS: Config['grants'] = [
  JWT_GRANT,
  {
    name: 'orders-report',
    principal: { issuer: 'apiKey', subject: 'nightly-report' },
    database: 'orders',
    users: ['app_ro'],
  },
]
