import { describe, expect, test } from 'vitest'
import type { IssuerConfig } from '../../src/config/config.ts'
import { describeProblem } from '../../src/config/problems.ts'
import { findWarnings } from '../../src/config/warnings.ts'

const ISSUER = 'https://idp.example.com'
const KEYS = { keys: [] }

const warningsOf = (...issuers: Omit<IssuerConfig, 'audience'>[]) =>
  findWarnings({
    issuers: issuers.map(issuer => ({ audience: issuer.name, ...issuer })),
    grants: [],
  }).map(describeProblem)

describe('findWarnings, of an issuer of the table that no JWT spells so,', () => {
  test.each([
    ['https://accounts.google.com/', 'https://accounts.google.com'],
    ['https://GitLab.com', 'https://gitlab.com'],
    ['https://token.actions.githubusercontent.com:443', 'https://token.actions.githubusercontent.com'],
    ['https://login.app.env0.com', 'https://login.app.env0.com/'],
  ])('says of %s that it reads %s', (issuer, iss) => {
    expect(warningsOf({ name: 'it', issuer })).toEqual([
      `issuers.it: no JWT is accepted, because \`iss\` is compared to the letter and reads ${iss} there: write that as \`issuer\``,
    ])
    expect(warningsOf({ name: 'it', issuer: iss })).toEqual([])
  })
})

describe('findWarnings, of an issuer in a form that names its tenant', () => {
  test.each([
    ['https://acme.us.auth0.com', 'https://acme.us.auth0.com/'],
    ['https://acme.okta.com/oauth2/default/', 'https://acme.okta.com/oauth2/default'],
    ['https://ACME.okta.com', 'https://acme.okta.com'],
  ])('says of %s, declared private or with pinned keys, that it reads %s', (issuer, iss) => {
    const reads = [
      `issuers.it: no JWT is accepted, because \`iss\` is compared to the letter and reads ${iss} there: write that as \`issuer\``,
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
