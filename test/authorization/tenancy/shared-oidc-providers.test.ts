import { describe, expect, test } from 'vitest'
import type { Scalar } from '../../../src/authorization/grant.ts'
import { ownerClaimNames } from '../../../src/authorization/tenancy/shared-oidc-provider.ts'
import {
  findSharedProvider,
  SHARED_OIDC_PROVIDERS,
} from '../../../src/authorization/tenancy/shared-oidc-providers.ts'
import { claimsOf, determine, neededBeside, pinsOf, problemWith, tenancyOf } from './support.ts'

const NO_OWNER = /the whole world can get a JWT from .*pin its owner without a wildcard/

const charted = SHARED_OIDC_PROVIDERS.filter(provider => ownerClaimNames(provider).length > 0)
const uncharted = SHARED_OIDC_PROVIDERS.filter(provider => ownerClaimNames(provider).length === 0)
const named = (providers: typeof SHARED_OIDC_PROVIDERS) =>
  providers.map(provider => [provider.name, provider] as const)

test('the table has no issuer and no name twice', () => {
  const issuers = SHARED_OIDC_PROVIDERS.flatMap(provider => provider.issuers)
  expect(new Set(issuers).size).toBe(issuers.length)
  for (const provider of SHARED_OIDC_PROVIDERS)
    for (const issuer of provider.issuers) expect(findSharedProvider(issuer), issuer).toBe(provider)
  expect(new Set(SHARED_OIDC_PROVIDERS.map(({ name }) => name)).size).toBe(SHARED_OIDC_PROVIDERS.length)
})

test.each([
  'https://token.actions.githubusercontent.com',
  'https://vstoken.actions.githubusercontent.com',
  'https://oidc-configuration.audit-log.githubusercontent.com',
  'https://gitlab.com',
  'https://app.terraform.io',
  'https://agent.buildkite.com',
  'https://oidc.codefresh.io',
  'https://api.pulumi.com/oidc',
  'https://oidc.vercel.com',
  'https://scalr.io',
  'https://studio.datachain.ai/api',
  'https://tokens.cloud.shisho.dev',
  'https://proidc.upbound.io',
  'https://sandboxes.cloud',
  'https://cognito-identity.amazonaws.com',
  'https://rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7',
  'https://rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr',
  'https://rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg',
  'https://rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26',
  'https://oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb',
  'https://oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu',
])('the table has %s, as that of AWS has', issuer => {
  expect(findSharedProvider(issuer)).toBeDefined()
})

describe.each(named(charted))('a grant for %s', (_name, provider) => {
  const [issuer = ''] = provider.issuers
  const tenancy = tenancyOf(issuer)
  const problem = (wanted: Record<string, Scalar | readonly Scalar[]>) =>
    problemWith(tenancy, { claims: claimsOf(wanted) })
  const pins = pinsOf(provider).map(pin => ({ ...pin, beside: neededBeside(provider, pin.claim) }))

  test('is refused with a broad claim, with nothing and for anyone', () => {
    expect(problem({ ref: 'refs/heads/main' })).toMatch(NO_OWNER)
    expect(problem({ ref: 'refs/heads/main', environment: 'production' })).toMatch(NO_OWNER)
    expect(problemWith(tenancy, {})).toMatch(NO_OWNER)
    expect(problemWith(tenancy, { anyone: true })).toMatch(NO_OWNER)
  })

  test('is refused with every claim that misleads, and told why', () => {
    for (const [claim, why] of Object.entries(provider.misleadingClaims ?? {}))
      expect(problem({ [claim]: 'x' }), claim).toContain(`${claim} does not pin: ${why}`)
  })

  test.each(pins)('is accepted with $claim as $shape', ({ claim, shape, beside }) => {
    const value = shape.replace('OWNER', '123')
    expect(problem({ ...beside, [claim]: value })).toBeUndefined()
    expect(problem({ ...beside, [claim]: [value, shape.replace('OWNER', '456')] })).toBeUndefined()
    expect(problem({ ...beside, [claim]: value, ref: 'refs/**' })).toBeUndefined()
    if (shape === 'OWNER') expect(problem({ ...beside, [claim]: 123 })).toBeUndefined()
    else expect(problem({ ...beside, [claim]: `${value}**` }) === undefined).toBe(!shape.endsWith('OWNER'))
  })

  test.each(pins)(
    'is refused with a wildcard in the owner of $claim as $shape',
    ({ claim, shape, beside }) => {
      const owners = ['*', '**', 'acme*', 'acme**', '*acme', 'ac*me', '']
      const patterns = owners.flatMap(owner => [owner, shape.replace('OWNER', owner)])
      for (const pattern of [...patterns, ...owners.map(owner => shape.replace(/OWNER.*/, owner))])
        expect(problem({ ...beside, [claim]: pattern }), pattern).toMatch(NO_OWNER)
      const open = shape.replace('OWNER', '*')
      expect(problem({ ...beside, [claim]: [shape.replace('OWNER', 'acme'), open] })).toMatch(NO_OWNER)
      expect(problem({ ...beside, [`not.${claim}`]: shape.replace('OWNER', 'acme') })).toMatch(NO_OWNER)
    },
  )

  test('is refused if what a claim needs beside it is missing, open or of another value', () => {
    for (const { claim, shape, beside } of pins) {
      const value = shape.replace('OWNER', 'acme')
      for (const needed of Object.keys(beside))
        for (const flaw of [{}, { [needed]: '*' }, { [needed]: ['**', 'x'] }]) {
          const others = Object.fromEntries(Object.entries(beside).filter(([name]) => name !== needed))
          expect(problem({ ...others, ...flaw, [claim]: value }), claim).toMatch(
            new RegExp(`${claim} pins only beside `),
          )
        }
    }
  })

  test('is accepted with the example, which the refusal shows', () => {
    const [claim = '', value = ''] = provider.example.split(': ')
    const beside = neededBeside(provider, claim)
    expect(problem({ ...beside, [claim]: value.replaceAll('"', '') })).toBeUndefined()
    expect(problem({ ...beside, [claim]: '**' })).toContain(`as in \`${provider.example}\``)
  })
})

describe.each(named(uncharted))(
  '%s, of which no claim is known to pin,',
  (_name, { issuers, misleadingClaims }) => {
    const [issuer = ''] = issuers

    test('needs an owner in the configuration, and not one that misleads', () => {
      expect(determine(issuer)).toMatchObject({ kind: 'problem', key: 'owner' })
      for (const claim of Object.keys(misleadingClaims ?? {}))
        expect(determine(issuer, { owner: [claim] })).toMatchObject({ kind: 'problem', key: 'owner' })
    })

    test('is pinned by that alone', () => {
      const tenancy = tenancyOf(issuer, { owner: ['workspace_id'] })
      expect(problemWith(tenancy, { claims: { workspace_id: 'w1' } })).toBeUndefined()
      for (const claims of [
        { workspace_id: 'w*' },
        { ref: 'main' },
        { repository_owner: 'acme', sub: 'acme' },
      ])
        expect(problemWith(tenancy, { claims })).toMatch(NO_OWNER)
    })
  },
)

describe('findSharedProvider', () => {
  test.each([
    ['GitHub Actions', 'HTTPS://Token.Actions.GitHubUserContent.com'],
    ['GitHub Actions', 'https://token.actions.githubusercontent.com:443//'],
    ['GitHub Actions', 'https://token.actions.githubusercontent.com.'],
    ['GitHub Actions', 'https://token.actions.githubusercontent.com/./'],
    ['GitHub Actions', 'http://user:x@token.actions.githubusercontent.com/?a=b#c'],
    ['GitHub Actions', ' token.actions.githubusercontent.com'],
    ['GitHub Actions', 'https://to\u212aen.actions.githubusercontent.com'],
    ['GitLab.com', 'https://gitlab\u3002com/'],
    ['GitLab.com', 'https://gitlab%2Ecom'],
    ['Google', 'accounts.google.com'],
    ['Sigstore', 'https://oauth2.sigstore.dev//Auth/'],
    ['env0', 'https://login.app.env0.com'],
    ['Microsoft (personal accounts)', 'https://STS.windows.net/9188040D-6c67-4c5b-b112-36a304b66dad'],
  ])('finds %s as %s', (name, issuer) => {
    expect(findSharedProvider(issuer)?.name).toBe(name)
  })

  test.each([
    'https://token.actions.githubusercontent.com/acme',
    'https://token.actions.githubusercontent.com.evil.example',
    'https://eviltoken.actions.githubusercontent.com',
    'https://gitlab.com.evil.example',
    'https://gitlab.com@evil.example',
    'https://evil.example/gitlab.com',
    'https://gitlab.example.com',
    'https://oidc.vercel.com/acme',
    'https://oidc.circleci.com/org/11111111-2222-3333-4444-555555555555',
    'not a URL',
    '',
  ])('does not take %s for one', issuer => {
    expect(findSharedProvider(issuer)).toBeUndefined()
  })
})
