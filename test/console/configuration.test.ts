import { beforeAll, describe, expect, test } from 'vitest'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import type { Config } from '../../src/config/config.ts'
import { useBrowser } from '../support/console/browser.ts'
import { NO_READINGS, startConsole } from '../support/console/console.ts'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'

const HUB = { name: 'hub', issuer: 'https://token.actions.githubusercontent.com', audience: 'jeton' }
const SECRETS = ['s3cret-external-id', 's3cret-api-key-hash', 's3cret-key-file', 's3cret-jwk']

const grant = (name: string, subject: string, more: Partial<GrantSpec> = {}): GrantSpec => ({
  name,
  principal: { issuer: 'hub', subject },
  database: 'orders',
  users: ['migrator'],
  ...more,
})

const GRANTS = [
  grant('deploy', 'repo:acme/app:**', { notAfter: '2027-01-01T00:00:00Z' }),
  grant('again', 'repo:acme/app:**', { session: 'per-principal' }),
  grant('hostile', 'x', {
    principal: { issuer: 'hub', claims: { team: '<script>alert(1)</script>\u202e' } },
  }),
  ...Array.from({ length: 10_000 }, (_, i) =>
    grant(`bulk-${i}`, `repo:acme/service-${i}:**`, { database: `db-${i % 40}`, users: ['app'] }),
  ),
]

const BEFORE = {
  server: { host: '::1', port: 1 },
  issuers: [
    HUB,
    {
      name: 'own',
      issuer: 'https://issuer.example',
      audience: ['a', 'b'],
      tenancy: 'private',
      jwks: { keys: [{ kty: 'RSA', n: SECRETS[3] }] },
    },
  ],
  apiKeys: { nightly: [SECRETS[1], SECRETS[1]] },
  databases: [
    { ...ORDERS, externalId: SECRETS[0] },
    ...Array.from({ length: 40 }, (_, i) => ({ ...ORDERS, name: `db-${i}` })),
  ],
  grants: GRANTS.slice(1),
  store: {
    type: 'dynamodb',
    table: 'jeton',
    region: 'us-east-1',
    encryption: { type: 'files', keys: [SECRETS[2]] },
  },
  audit: [{ type: 'file', path: '/var/log/jeton.jsonl' }],
  origin: { sha256: 'a'.repeat(64), files: {} },
  operators: [{ name: 'on-call', principal: { issuer: 'own', claims: { groups: 'dba' } } }],
  warnings: [],
} as unknown as Config
const CONFIG: Config = {
  ...BEFORE,
  grants: GRANTS,
  origin: { sha256: 'b'.repeat(64), files: { 'keys.json': 'c'.repeat(64) } },
  warnings: [
    { path: 'grants[0]', grant: 'deploy', message: 'is doubtful', file: 'jeton.yaml', line: 7, column: 3 },
  ],
}

describe.runIf(await canRun(['chromium']))('the page Configuration', () => {
  const browser = useBrowser()
  let url: string
  beforeAll(async () => {
    const console = await startConsole({
      currentConfig: () => CONFIG,
      replacedConfig: () => BEFORE,
      readings: {
        ...NO_READINGS,
        configuration: () => ({
          loadedAt: console.clock.now() - 60_000,
          lastReload: { at: console.clock.now() - 5000, isOk: false },
        }),
        issuerKeys: () => [
          {
            issuer: 'hub',
            url: HUB.issuer,
            isPinned: false,
            isFailing: true,
            fetchedAt: console.clock.now() - 700_000,
            keys: [{ kid: 'k1', alg: 'RS256' }],
          },
          {
            issuer: 'own',
            url: 'https://issuer.example',
            isPinned: true,
            isFailing: false,
            fetchedAt: undefined,
            keys: [{ kid: undefined, alg: undefined }],
          },
        ],
      },
    })
    url = `${console.url}/configuration`
  })

  test('shows what is in use beside 10,000 grants', async () => {
    const page = await browser.open(url)
    const text = await page.getByRole('main').innerText()
    for (const shown of [
      'The last reload, 5 s ago, was refused',
      'grants added: deploy',
      'b'.repeat(64),
      'jeton.yaml:7:3',
      'grants[0] (deploy): is doubtful',
      'sub: repo:acme/app:**',
      'until 2027-01-01T00:00:00Z',
      'session per principal',
      '<script>alert(1)</script>\\u202e',
      '10,002 principals, page 1 of 201',
      'k1 (RS256)',
      'the last fetch failed',
      'on-call: own, groups: dba',
      'nightly (2 keys)',
      'encrypted by a key file',
      '/var/log/jeton.jsonl',
    ])
      expect(text, shown).toContain(shown)
    const source = await page.content()
    for (const secret of SECRETS) expect(source).not.toContain(secret)
    expect(source.length).toBeLessThan(300_000)
  })

  test('is filtered by the keyboard alone, and goes on page by page', async () => {
    const page = await browser.open(url)
    await page.getByLabel('Database', { exact: true }).selectOption('db-7')
    await page.getByLabel('Part of a principal').focus()
    await page.keyboard.type('SERVICE')
    await page.keyboard.press('Enter')
    await page.getByText('250 principals, page 1 of 5').waitFor()
    await page.getByRole('link', { name: 'Those after' }).press('Enter')
    await page.getByText('page 2 of 5').waitFor()
    expect(await page.getByRole('region', { name: 'Principals and database users' }).innerText()).toContain(
      'bulk-2007',
    )
    await page.getByRole('link', { name: 'Remove the filter database' }).press('Enter')
    await page.getByText('10,000 principals').waitFor()
  })
})
