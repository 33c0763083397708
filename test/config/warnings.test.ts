import { describe, expect, test } from 'vitest'
import type { Audience } from '../../src/authentication/audience.ts'
import type { IssuerConfig, SinkConfig } from '../../src/config/config.ts'
import { problemText } from '../../src/config/problems.ts'
import { findWarnings } from '../../src/config/warnings.ts'
import type { Database } from '../../src/rds/database.ts'

const ISSUER = 'https://idp.example.com'
const KEYS = { keys: [] }

const warningsOf = (...issuers: Omit<IssuerConfig, 'audience'>[]) =>
  findWarnings({
    issuers: issuers.map(issuer => ({ audience: issuer.name, ...issuer })),
    grants: [],
  }).map(problemText)

describe('findWarnings, of an issuer of the table that no JWT spells so,', () => {
  test.each([
    ['https://accounts.google.com/', 'https://accounts.google.com'],
    ['https://GitLab.com', 'https://gitlab.com'],
    ['https://token.actions.githubusercontent.com:443', 'https://token.actions.githubusercontent.com'],
    ['https://login.app.env0.com', 'https://login.app.env0.com/'],
  ])('says of %s that it reads %s', (issuer, iss) => {
    expect(warningsOf({ name: 'it', issuer })).toEqual([
      `issuers.it.issuer: no JWT is accepted, because \`iss\` is compared to the letter and reads ${iss} there: write that as \`issuer\``,
    ])
    expect(warningsOf({ name: 'it', issuer: iss })).toEqual([])
  })
})

describe('findWarnings, of an issuer in a form that names its tenant', () => {
  test.each([
    ['https://acme.us.auth0.com', 'https://acme.us.auth0.com/'],
    ['https://acme.okta.com/oauth2/default/', 'https://acme.okta.com/oauth2/default'],
    ['https://ACME.okta.com', 'https://acme.okta.com'],
    ['https://sso.example.com/realms/acme/', 'https://sso.example.com/realms/acme'],
  ])('says of %s, declared private or with pinned keys, that it reads %s', (issuer, iss) => {
    const reads = [
      `issuers.it.issuer: no JWT is accepted, because \`iss\` is compared to the letter and reads ${iss} there: write that as \`issuer\``,
    ]
    expect(warningsOf({ name: 'it', issuer, tenancy: 'private' })).toEqual(reads)
    expect(warningsOf({ name: 'it', issuer, jwks: KEYS })).toEqual(reads)
    expect(warningsOf({ name: 'it', issuer: iss, tenancy: 'private' })).toEqual([])
  })
})

describe('findWarnings, of two issuers with one URL,', () => {
  const shared = { name: 'people', issuer: ISSUER, tenancy: 'shared', owner: ['org_id'] } as const
  const twin = /^issuers\.jobs: issuers\.people has the same URL and is shared, so strangers may get JWTs/

  test('says if only one is shared, whichever comes first', () => {
    const jobs = { name: 'jobs', issuer: ISSUER, tenancy: 'private' } as const
    expect(warningsOf(shared, jobs)).toEqual([expect.stringMatching(twin)])
    expect(warningsOf(jobs, shared)).toEqual([expect.stringMatching(twin)])
    expect(warningsOf(shared, { name: 'jobs', issuer: ISSUER, jwks: KEYS })).toEqual([
      expect.stringMatching(twin),
    ])
  })

  test('says nothing if both are shared, if both have pinned keys, or of another URL', () => {
    expect(warningsOf(shared, { ...shared, name: 'jobs' })).toEqual([])
    expect(
      warningsOf({ ...shared, jwks: KEYS }, { name: 'jobs', issuer: ISSUER, jwks: KEYS, tenancy: 'private' }),
    ).toEqual([])
    expect(warningsOf(shared, { name: 'jobs', issuer: `${ISSUER}/jobs`, tenancy: 'private' })).toEqual([])
  })
})

const DATABASE: Database = {
  name: 'orders',
  engine: 'postgres',
  host: 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com',
  port: 5432,
  kind: 'instance',
  partition: 'aws',
  region: 'us-east-1',
  resourceId: 'db-ABC',
  roleArn: 'arn:aws:iam::123456789012:role/jeton',
  account: '123456789012',
  users: ['app'],
  newTokensPerSecond: 16,
}
const databaseWarnings = (...databases: Partial<Database>[]) =>
  findWarnings({
    issuers: [],
    grants: [],
    databases: databases.map((each, i) => ({ ...DATABASE, name: `db-${i}`, ...each })),
  }).map(problemText)

describe('findWarnings, of databases,', () => {
  test('warns of the master user', () => {
    expect(databaseWarnings({ users: ['app', 'postgres'] })).toEqual([
      expect.stringMatching(/^databases\.db-0\.users\[1\]: is postgres, which is mostly the master user/),
    ])
    expect(databaseWarnings({ engine: 'mysql', users: ['admin'] })).toHaveLength(1)
    expect(databaseWarnings({ users: ['admin'] })).toEqual([])
  })

  test('warns of one database under two names, unless something tells them apart', () => {
    expect(databaseWarnings({}, {})).toEqual([
      expect.stringMatching(/^databases\.db-1: has the endpoint, the database and a user of databases\.db-0/),
    ])
    for (const other of [
      { dbname: 'x' },
      { users: ['b'] },
      { port: 5433 },
      { connect: { host: 'a', port: 1 } },
    ])
      expect(databaseWarnings({}, other)).toEqual([])
  })
})

describe('findWarnings, of what the server opens,', () => {
  const server = { host: '127.0.0.1', port: 8080 }

  test('warns of /metrics beyond this machine', () => {
    const on = (host: string) =>
      findWarnings({ issuers: [], grants: [], server: { ...server, admin: { host, port: 9464 } } }).map(
        problemText,
      )
    expect(on('0.0.0.0')).toEqual([
      expect.stringMatching(/^server\.admin\.host: is 0\.0\.0\.0, beyond this machine/),
    ])
    expect(on('127.0.0.1')).toEqual([])
  })

  test('warns of an audit log on stdout alone', () => {
    const log = (...audit: SinkConfig[]) => findWarnings({ issuers: [], grants: [], audit }).map(problemText)
    expect(log({ type: 'stdout' })).toEqual([
      expect.stringMatching(/^audit: is only on stdout, which is not durable/),
    ])
    expect(log({ type: 'stdout' }, { type: 'file', path: 'a' })).toEqual([])
  })
})

describe('findWarnings, of an audience,', () => {
  const audienceOf = (audience: Audience, issuer: Partial<IssuerConfig> = {}) =>
    findWarnings({
      issuers: [{ name: 'it', issuer: ISSUER, tenancy: 'private', ...issuer, audience }],
      grants: [],
    }).map(problemText)

  test.each([
    ['htps://jeton.example', 'did you mean https://?'],
    ['https//jeton.example', 'looks like a URL and is none'],
    ['https:/jeton.example', 'looks like a URL and is none'],
  ])('says what is wrong with %s', (audience, doubt) => {
    expect(audienceOf(audience)).toEqual([expect.stringContaining(doubt)])
  })

  test.each(['jeton', 'https://jeton.example', 'http://jeton.example', 'urn:a:b', 'spiffe://a/b'])(
    'says nothing of %s',
    audience => expect(audienceOf(audience)).toEqual([]),
  )

  test.each([
    ['api://AzureADTokenExchange', 'is that of JWTs for Azure'],
    ['sts.amazonaws.com', 'is that of JWTs for AWS'],
  ])('says that %s is what JWTs for others carry, at its place in a list', (audience, doubt) => {
    expect(audienceOf(audience)).toEqual([expect.stringMatching(`^issuers.it.audience: ${doubt}`)])
    expect(audienceOf(['jeton', audience])).toEqual([
      expect.stringContaining(`issuers.it.audience[1]: ${doubt}`),
    ])
  })

  test('says which of a list no JWT of the issuer has, and nothing of the one that all have', () => {
    const issuer = 'https://vstoken.dev.azure.com/11111111-2222-3333-4444-555555555555'
    const fixed = 'api://AzureADTokenExchange'
    expect(audienceOf([fixed], { issuer, tenancy: undefined })).toEqual([])
    expect(audienceOf([fixed, 'jeton'], { issuer, tenancy: undefined })).toEqual([
      expect.stringContaining('issuers.it.audience[1]: is in no JWT of Azure DevOps'),
    ])
  })

  test('knows the only one of an issuer, and how long its JWTs live', () => {
    const issuer = 'https://vstoken.dev.azure.com/11111111-2222-3333-4444-555555555555'
    expect(audienceOf('jeton', { issuer, tenancy: undefined })).toEqual([
      'issuers.it.audience: is in no JWT of Azure DevOps, whose `aud` is always api://AzureADTokenExchange: write that',
    ])
    const modal = { issuer: 'https://oidc.modal.com', tenancy: undefined }
    expect(audienceOf('oidc.modal.com', modal)).toEqual([
      expect.stringMatching(
        /^issuers\.it\.maxLifetimeSeconds: is 86400, and JWTs of Modal are valid for 172800 s/,
      ),
    ])
    expect(audienceOf('oidc.modal.com', { ...modal, maxLifetimeSeconds: 172_800 })).toEqual([])
  })
})
