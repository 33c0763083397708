import { beforeAll, describe, expect, test } from 'vitest'
import type { FoundRecord } from '../../src/audit/recent-records.ts'
import type { Config } from '../../src/config/config.ts'
import { NO_RECORDS, startConsole } from '../support/console/console.ts'

const CONFIG = {
  issuers: [{ name: 'own', issuer: 'https://issuer.example', audience: 'jeton' }],
  databases: [],
  grants: [{ name: 'it', principal: { issuer: 'own', subject: 'x' }, database: 'orders', users: ['app'] }],
  warnings: [],
} as unknown as Config

const SIGNATURE = 'c2VjcmV0LXNpZ25hdHVyZQ'
const part = (json: string) => Buffer.from(json).toString('base64url')
const HEADER = part('{"alg":"RS256"}')
const CLAIMS = '{"iss":"https://issuer.example","aud":"jeton","sub":"x"}'
const JWT = `${HEADER}.${part(CLAIMS)}.${SIGNATURE}`
const nested = (depth: number) => `{"sub":"x","deep":${'['.repeat(depth)}${']'.repeat(depth)}}`

describe('what is posted to the page Explain', () => {
  let url: string
  beforeAll(async () => {
    url = `${(await startConsole({ currentConfig: () => CONFIG })).url}/explain`
  })
  const post = async (body: string, type = 'application/x-www-form-urlencoded') => {
    const headers = { 'content-type': type, origin: new URL(url).origin }
    const reply = await fetch(url, { method: 'POST', headers, body })
    return { status: reply.status, cache: reply.headers.get('cache-control'), text: await reply.text() }
  }
  const ask = (claims: string, more: object = {}) => post(String(new URLSearchParams({ claims, ...more })))

  test('is explained by the configuration in use, as the command explains it', async () => {
    const { status, cache, text } = await ask(`${HEADER}.${part(CLAIMS)}.`, { database: 'orders' })
    expect([status, cache]).toEqual([200, 'no-store'])
    expect(text).toContain('<strong>it</strong> allows it')
    expect(text).toContain('nothing of the JWT was verified, its signature least of all')
  })

  test.each<[string, string]>([
    ['a JWT', JWT],
    ['a JWT over two lines', JWT.replace('.', '.\n ')],
    ['a JWT with its scheme', `Bearer ${JWT}`],
    ['an encrypted JWT', `${HEADER}.a.b.${SIGNATURE}.c`],
    ['claims with a JWT in them', JSON.stringify({ sub: 'x', token: JWT })],
    ['claims that name a member twice', `{"token":"${JWT}","token":"","sub":"x"}`],
    ['claims with a JWT behind an escape', `{"sub":"${JWT.replaceAll('.', '\\u002e')}"}`],
    ['a JWT with one in its claims', `${HEADER}.${part(JSON.stringify({ sub: 'x', act: JWT }))}.`],
    ['a text that only begins like one', `${HEADER}.${SIGNATURE}.${SIGNATURE}`],
  ])('is refused if it has a signature, as %s', async (_name, claims) => {
    const { status, text } = await ask(claims)
    expect(status).toBe(400)
    expect(text).toContain('There was a signature in it, which must never leave the page')
    expect(text).not.toContain(SIGNATURE)
  })

  test.each(['database', 'user'])('is refused if a JWT is in the place of the %s', async field => {
    const { status, text } = await ask(CLAIMS, { [field]: JWT })
    expect([status, text.includes('There was a signature in it')]).toEqual([400, true])
    expect(text).not.toContain(SIGNATURE)
  })

  test.each<[string, string, string]>([
    ['too long', JSON.stringify({ sub: 'x'.repeat(8200) }), 'longer than the 8192 bytes'],
    ['too deep', nested(40), 'nested more than 32 deep'],
    ['far too deep', nested(4000), 'nested more than 32 deep'],
    ['no claims', 's3cret', 'neither JSON nor a JWT'],
    ['for no issuer', '{"sub":"x"}', 'name one with the field Issuer (own, or apiKey)'],
  ])('is refused if it is %s, and not quoted', async (_name, claims, problem) => {
    const { status, text } = await ask(claims)
    expect([status, text]).toEqual([400, expect.stringContaining(problem)])
    expect(text).not.toContain('s3cret')
  })

  test.each<[string, string, number]>([
    ['without claims', 'claim=s3cret', 400],
    ['with an impossible time', 'claims={}&at=s3cret', 400],
    ['too long', `claims=${'s3cret'.repeat(12_000)}`, 413],
  ])('is refused %s, and not quoted', async (_name, body, status) => {
    const refused = await post(body)
    expect(refused.status).toBe(status)
    expect(refused.text).not.toContain('s3cret')
  })

  test('is nothing that other pages take', async () => {
    const headers = { origin: new URL(url).origin }
    const reply = await fetch(url.replace('explain', 'decode'), { method: 'POST', headers, body: 'token' })
    expect(reply.status).toBe(404)
  })
})

describe('the page Explain of a record', () => {
  const record = {
    id: 'r/1',
    time: '2026-11-27T10:00:00.000Z',
    principal: { issuer: 'own', subject: '</textarea><b>x', claims: { team: ['a'] } },
    database: 'orders',
    user: 7,
  }
  const found = {
    record,
    sortKey: '',
    line: '',
    type: 'jeton.audit.decision',
    cursor: 'c',
  } as unknown as FoundRecord
  const pageOf = async (query: string) => {
    const { url } = await startConsole({
      currentConfig: () => CONFIG,
      recentRecords: {
        ...NO_RECORDS,
        read: async ({ id }) => ({
          ...(await NO_RECORDS.read({}, { limit: 1 })),
          records: id === record.id ? [found] : [],
        }),
      },
    })
    const reply = await fetch(`${url}/explain?${query}`)
    return { status: reply.status, text: await reply.text() }
  }

  test('has its principal filled in as text, what it asked for, and when that was', async () => {
    const { status, text } = await pageOf('record=r%2F1&at=c')
    expect(status).toBe(200)
    expect(text).toContain('&quot;sub&quot;: &quot;&lt;/textarea&gt;&lt;b&gt;x&quot;')
    expect(text).not.toContain('<b>x')
    expect(text).toContain('&quot;team&quot;')
    expect(text).toContain('<option value="own" selected>')
    expect(text).toContain('id="database" value="orders"')
    expect(text).toContain('id="user" value=""')
    expect(text).toContain('href="/console/records/r%2F1"')
  })

  test('is not found for another record', async () => {
    expect((await pageOf('record=other')).status).toBe(404)
  })
})
