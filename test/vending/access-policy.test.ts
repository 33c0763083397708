import { expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { pinKeys } from '../../src/authentication/issuer-keys.ts'
import type { Config, IssuerConfig } from '../../src/config/config.ts'
import { compileAccessPolicy } from '../../src/vending/access-policy.ts'
import { refusal, startTestIssuer } from '../authentication/support.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { ALICE } from './support.ts'

const CONFIG: Config = {
  server: { host: '127.0.0.1', port: 0 },
  issuers: [],
  apiKeys: {},
  databases: [ORDERS],
  grants: [
    {
      name: 'ops',
      principal: { issuer: 'ci', claims: { team: 'ops' } },
      database: 'orders',
      users: ['migrator'],
    },
  ],
  store: { type: 'memory' },
  audit: [],
  origin: { sha256: '', files: {} },
}

function compile(config: Partial<Config> = {}) {
  const keysOf = () => expect.fail('no issuer has keys')
  return compileAccessPolicy({ ...CONFIG, ...config }, { clock: virtualClock(), keysOf })
}

test('compileAccessPolicy authenticates by the configured API keys', async () => {
  const { key, sha256 } = newApiKey()
  const { authenticator } = compile({ apiKeys: { nightly: [sha256] } })
  expect(await authenticator.authenticate(`ApiKey ${key}`)).toEqual({
    issuer: 'apiKey',
    subject: 'nightly',
    claims: {},
  })
})

test('compileAccessPolicy authenticates by the keys that keysOf returns for each issuer', async () => {
  const { issuer, clock } = await startTestIssuer()
  const issuers: IssuerConfig[] = [{ name: 'ci', issuer: issuer.url, audience: 'jeton' }]
  const withKeys: IssuerConfig[] = []
  const policy = compileAccessPolicy(
    { ...CONFIG, issuers },
    {
      clock,
      keysOf(config) {
        withKeys.push(config)
        return pinKeys(issuer.jwks())
      },
    },
  )
  const principal = await policy.authenticator.authenticate(`Bearer ${await issuer.sign()}`)
  expect(principal.issuer).toBe('ci')
  expect(withKeys).toEqual(issuers)
})

test('compileAccessPolicy applies maxLifetimeSeconds, also to a JWT that the policy before has verified', async () => {
  const { issuer, clock } = await startTestIssuer()
  const keys = pinKeys(issuer.jwks())
  const authenticate = (more: Partial<IssuerConfig>, jwt: string) =>
    compileAccessPolicy(
      { ...CONFIG, issuers: [{ name: 'ci', issuer: issuer.url, audience: 'jeton', ...more }] },
      { clock, keysOf: () => keys },
    ).authenticator.authenticate(`Bearer ${jwt}`)
  const jwt = await issuer.sign({}, { expiresInSeconds: 601 })
  expect((await authenticate({}, jwt)).subject).toBe('someone')
  expect((await authenticate({ maxLifetimeSeconds: 601 }, jwt)).subject).toBe('someone')
  const error = await refusal(authenticate({ maxLifetimeSeconds: 600 }, jwt))
  expect(error.reason).toBe('issuer ci: the JWT is valid for 601 s, and at most 600 s are accepted')
})

test('database returns a database by its name, and throws for any other', () => {
  const policy = compile()
  expect(policy.database('orders')).toBe(ORDERS)
  expect(() => policy.database('toString')).toThrow('no database is called toString')
})

test('accessOf returns one object for one Principal object, and another for an equal one', () => {
  const policy = compile()
  const access = policy.accessOf(ALICE)
  expect(policy.accessOf(ALICE)).toBe(access)
  expect(policy.accessOf(ALICE).auditedPrincipal).toBe(access.auditedPrincipal)
  expect(policy.accessOf({ ...ALICE })).not.toBe(access)
})

test('accessOf decides by the grants and databases of the configuration', () => {
  const request = { database: 'orders', user: 'migrator' }
  expect(compile().accessOf(ALICE).decide(request)).toMatchObject({
    kind: 'granted',
    key: { database: ORDERS },
  })
  expect(compile({ grants: [] }).accessOf(ALICE).decide(request)).toEqual({ kind: 'denied' })
})

test.each([
  ['counts what a list of grants takes that is its own', 'alice', 30, 80],
  ['counts no list of grants that others have too', 'bob', 99, 100],
])('what is remembered with a JWT %s', async (_what, sub, atLeast, atMost) => {
  // a reference to each of 50,000 takes 400 KB, and 80 such lists 32 MB
  const { issuer, clock } = await startTestIssuer()
  const team = {
    principal: { issuer: 'ci', claims: { team: 'ops' } },
    database: 'orders',
    users: ['migrator'],
  }
  const grants = Array.from({ length: 50_000 }, (_, i) => ({ ...team, name: `ops-${i}` }))
  const ofAlice = { ...team, name: 'alice', principal: { issuer: 'ci', subject: 'alice' } }
  const issuers: IssuerConfig[] = [{ name: 'ci', issuer: issuer.url, audience: 'jeton' }]
  const { authenticator } = compileAccessPolicy(
    { ...CONFIG, issuers, grants: [...grants, ofAlice] },
    { clock, keysOf: () => pinKeys(issuer.jwks()) },
  )
  const shown: string[] = []
  for (let jti = 0; jti < 100; jti++)
    shown.push(`Bearer ${await issuer.sign({ sub, team: 'ops', jti: `${jti}` })}`)
  for (const authorization of shown) await authenticator.authenticate(authorization)
  const remembered = shown.filter(authorization => authenticator.recall(authorization)).length
  expect(remembered).toBeGreaterThan(atLeast)
  expect(remembered).toBeLessThanOrEqual(atMost)
})
