import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../../src/config/load.ts'
import { exampleIn, readDocsPage } from '../../support/markdown.ts'
import { problemsOf, type Sound, sound, tlsFiles, withIssuers, withServer, written } from '../support.ts'

const TLS = { cert: 'server.pem', key: 'server-key.pem' }
const BEYOND = { admin: { host: '0.0.0.0', console: true, tls: TLS } }
const ADA = { name: 'on-call', principal: { issuer: 'own', subject: 'ada' } }

const withOperators =
  (...operators: unknown[]) =>
  (config: Sound) => ({ ...config, operators })

describe('checkOperators', () => {
  test('takes those that mean somebody, as they are', async () => {
    const operators = [ADA, { name: 'night', principal: { issuer: 'apiKey', subject: 'nightly' } }]
    const config = await loadConfig(await written(withOperators(...operators)(sound())))
    expect(config.operators).toEqual(operators)
  })

  test.each([
    ['everybody', { issuer: 'own' }, /^operators\[0\]\.principal: this names nobody/],
    [
      'everybody by a wildcard',
      { issuer: 'own', subject: '**' },
      /^operators\[0\]\.principal: this names nobody/,
    ],
    [
      'all the world at a shared issuer',
      { issuer: 'github', claims: { ref: 'refs/heads/main' } },
      /^operators\[0\]\.principal: the whole world can get a JWT from GitHub/,
    ],
    [
      'an unknown issuer',
      { issuer: 'gone', subject: 'x' },
      /^operators\[0\]\.principal\.issuer: is not in issuers/,
    ],
    [
      'an unknown API key',
      { issuer: 'apiKey', subject: 'x' },
      /^operators\[0\]\.principal\.subject: is not in apiKeys/,
    ],
    ['a claim of an API key', { issuer: 'apiKey', claims: { a: 'b' } }, /an API key carries no claims/],
  ])('refuses %s', async (_whom, principal, problem) => {
    expect(await problemsOf(withOperators({ name: 'x', principal }))).toEqual([
      expect.stringMatching(problem),
    ])
  })

  test('checks their times as those of grants, and warns of one that has ended', async () => {
    const times = { notBefore: '2020-12-31T18:00:00Z', notAfter: '2020-12-31T18:00:00' }
    expect(await problemsOf(withOperators({ ...ADA, ...times }))).toEqual([
      expect.stringMatching(/^operators\[0\]\.notAfter: has no time zone/),
    ])
    const { warnings = [] } = await loadConfig(
      await written(withOperators({ ...ADA, notAfter: times.notBefore })(sound())),
    )
    expect(warnings).toContainEqual(
      expect.objectContaining({
        path: 'operators[0].notAfter',
        message: expect.stringMatching(/^ended at 2020-12-31T18:00:00Z/),
      }),
    )
  })

  test('refuses two of one name', async () => {
    expect(await problemsOf(withOperators(ADA, ADA))).toEqual([
      'operators[1].name: is already the name of operators[0]: choose another, because logs name the operator',
    ])
  })
})

describe('a console beyond loopback', () => {
  const of = (admin: object, change = withOperators(ADA)) =>
    problemsOf(config => ({ ...change(config), server: { admin } }), tlsFiles())

  test('is refused without TLS, which its credentials would cross the network without', async () => {
    expect(await of({ host: '0.0.0.0', console: true })).toEqual([
      'server.admin.host: is beyond loopback, where the console needs TLS, for it is opened with a credential: set server.admin.tls',
    ])
  })

  test('is refused without operators, for nobody could open it', async () => {
    expect(await of(BEYOND.admin, withOperators())).toEqual([
      expect.stringMatching(/^server\.admin\.host: is beyond loopback, where the console needs operators/),
    ])
  })

  test('needs neither if it is off, or on loopback', async () => {
    for (const admin of [{ host: '0.0.0.0' }, { host: '0.0.0.0', console: false }, { console: true }])
      expect(await of(admin, withOperators())).toEqual([])
    expect(await of(BEYOND.admin)).toEqual([])
  })

  test('reloads without its last operator, since a revocation must not be refused', async () => {
    const server = { server: BEYOND }
    const reloadOf = await loadConfig(await written({ ...sound(), operators: [ADA], ...server }, tlsFiles()))
    const path = await written({ ...sound(), ...server }, tlsFiles())
    const { operators, warnings = [] } = await loadConfig(path, { purpose: { reloadOf } })
    expect(operators).toEqual([])
    expect(warnings.map(({ message }) => message)).toContainEqual(expect.stringContaining('needs operators'))
    await expect(loadConfig(path, { purpose: 'start' })).rejects.toThrow('needs operators')
  })

  test('checks its certificate as that of the server', async () => {
    expect(await problemsOf(withServer({ admin: { console: true, tls: TLS } }))).toEqual([
      expect.stringMatching(/^server\.admin\.tls\.cert: /),
      expect.stringMatching(/^server\.admin\.tls\.key: /),
    ])
  })
})

test('the operators of docs/operations.md are sound', async () => {
  const example = parse(exampleIn(await readDocsPage('operations'), 'operators'))
  const staff = { issuer: 'https://login.example.com', audience: 'jeton', tenancy: 'private' as const }
  const { 'server.pem': cert, 'server-key.pem': key } = tlsFiles()
  const files = { 'admin.pem': cert, 'admin-key.pem': key }
  expect(await problemsOf(config => withIssuers({ staff })({ ...config, ...example }), files)).toEqual([])
})
