import { describe, expect, test } from 'vitest'
import { PRIVATE_ISSUER_FORMS } from '../../../src/authorization/tenancy/private-issuers.ts'
import { SHARED_OIDC_PROVIDERS } from '../../../src/authorization/tenancy/shared-oidc-providers.ts'
import { determine, problemWith, tenancyOf } from './support.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const UNKNOWN = 'https://idp.example.com'

/** Issuers that jeton does not know. Strangers can get JWTs from most of them. */
const UNKNOWN_ISSUERS = [
  UNKNOWN,
  'https://oidc.arche.dev/token?aud=jeton',
  'https://gitlab.example.com',
  'https://dev.gitlab.org',
  'https://gitlab.archlinux.org',
  'https://ops.gitlab.net',
  'https://git.example.org/api/actions',
  'https://ghes.example.com/_services/token',
  'https://keycloak.example.com/realms/main',
  'https://jenkins.example.com/oidc',
  'https://oauth2.sigstage.dev/auth',
  'https://dev-oidc.buddyusercontent.com',
  'https://securetoken.google.com/my-project',
  'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
  'https://some-name-12.clerk.accounts.dev',
  'https://acme.b2clogin.com/11111111-2222-3333-4444-555555555555/v2.0/',
  'https://acme.ciamlogin.com/11111111-2222-3333-4444-555555555555/v2.0',
  'https://acme.cloudaccess.example',
  'https://acme.onelogin.com/oidc/2',
  'https://login.acme.com/',
  'https://oidc.acme.com/oauth2/default',
  'https://api.pulumi.com/oidc/v3',
  'https://gitlab.com/acme',
  'https://accounts.google.com/o/saml2',
  'https://oidc.op1.openshiftapps.com/2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  'https://oidc.eks.us-east-1.amazonaws.com',
  'https://container.googleapis.com',
  'https://oidc.fly.io',
  'https://10.0.0.5',
  'https://keycloak.internal',
  'https://kubernetes.default.svc.evil.example',
]

/** What looks like a form that names a tenant, and is somebody else's host or no tenant. */
const LOOK_ALIKES = [
  'https://evil-okta.com',
  'https://okta.com',
  'https://www.okta.com',
  'https://acme.okta.com.evil.example',
  'https://acme.okta.com./',
  'https://acme.okta.com.',
  'https://acme.okta.com:8443',
  'https://acme.okta.com/oauth2/default/',
  'https://acme.okta.com/../evil',
  'https://ACME.okta.com',
  'https://acme@evil.example/.okta.com',
  'https://evil.example/https://acme.okta.com',
  'https://a.b.okta.com',
  'http://acme.okta.com',
  'https://\u0430cme.okta.com',
  'https://xn--cme-7cd.evil.example/.okta.com',
  'https://acme.okta.com\nhttps://evil.example',
  'https://acme.eu.auth0.com.evil.example/',
  'https://acmeauth0.com/',
  'https://oidc.eks.us-east-1.amazonaws.com.evil.example/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
  'https://oidc.eks.evil.example/.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
  'https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE',
  'https://evil.oic.prod-aks.azure.com.evil.example/11111111-2222-3333-4444-555555555555/66666666-7777-8888-9999-000000000000/',
  'https://cognito-idp.us-east-1.amazonaws.com/',
  'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a/../us-east-1_b',
  'https://login.microsoftonline.com.evil.example/11111111-2222-3333-4444-555555555555/v2.0',
  'https://token.actions.githubusercontent.com/acme/other',
  'https://oidc.vercel.com/acme/',
  'https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws.evil.example',
  'https://kubernetes.default.svc@evil.example',
  'https://localhost.evil.example',
  'https://localhost@evil.example',
  'https://user@localhost',
  'https://accounts.okta.com',
  'https://developer.okta.com/oauth2/default',
  'https://auth0.auth0.com/',
  'https://manage.auth0.com/',
  'https://oidc.fly.io/personal',
]

describe('determineTenancy of an issuer that jeton does not know', () => {
  test.each([...UNKNOWN_ISSUERS, ...LOOK_ALIKES])('demands that %s be declared', issuer => {
    expect(determine(issuer)).toMatchObject({ kind: 'problem', key: 'tenancy' })
  })

  test('explains in two sentences what the danger is, and what to write', () => {
    const tenancy = determine(UNKNOWN)
    const { message } = tenancy.kind === 'problem' ? tenancy : expect.unreachable()
    const [danger = '', remedy = '', ...more] = message.split(/(?<=\.) /)
    expect(danger).toMatch(/jeton does not know this issuer.*strangers.*pass every grant/)
    expect(remedy).toMatch(
      /^So write `tenancy: private` if .*; otherwise write `tenancy: shared`, .*`owner: \[/,
    )
    expect(more).toEqual([])
  })

  test.each([
    ['https://acme.us.auth0.com', 'Auth0', 'https://acme.us.auth0.com/'],
    ['https://ACME.okta.com/', 'Okta', 'https://acme.okta.com'],
    [
      'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab12Cd34E/',
      'Cognito user pools',
      'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab12Cd34E',
    ],
    ['https://oidc.vercel.com/acme//', 'Vercel of a team', 'https://oidc.vercel.com/acme'],
  ])('says of %s how JWTs of %s spell it, in the second of two sentences', (issuer, name, iss) => {
    const tenancy = determine(issuer)
    const { message } = tenancy.kind === 'problem' ? tenancy : expect.unreachable()
    const [danger = '', remedy = '', ...more] = message.split(/(?<=\.) /)
    expect(danger).toMatch(/jeton does not know this issuer/)
    expect(remedy).toContain(`JWTs of ${name} have \`${iss}\`, to the letter: write that as \`issuer\``)
    expect(remedy).toMatch(/if not, write `tenancy: private` if .*; otherwise write `tenancy: shared`/)
    expect(more).toEqual([])
    expect(determine(iss)).toEqual({ kind: 'private' })
  })

  test('suggests no spelling of a look-alike', () => {
    for (const issuer of [
      'https://acme.okta.com./',
      'https://\u0430cme.okta.com/',
      'https://acme.okta.com:8443/',
    ])
      expect(determine(issuer)).toMatchObject({ message: expect.not.stringContaining('to the letter') })
  })

  test('takes it as it is declared', () => {
    expect(determine(UNKNOWN, { tenancy: 'private' })).toEqual({ kind: 'private' })
    const shared = tenancyOf(UNKNOWN, { tenancy: 'shared', owner: ['org_id', 'team.id'] })
    expect(problemWith(shared, { claims: { org_id: 7 } })).toBeUndefined()
    expect(problemWith(shared, { claims: { team: { id: ['a', 'b'] } } })).toBeUndefined()
    for (const claims of [{ ref: 'main' }, { org_id: '7*' }, { org_id: ['7', '*'] }, { team: { id: '**' } }])
      expect(problemWith(shared, { claims })).toMatch(
        /the whole world can get a JWT from this issuer, .* by one of org_id, team\.id, as in `org_id: …`/,
      )
    expect(problemWith(shared, { subject: 'repo:acme/app' })).toMatch(/the whole world/)
  })

  test('takes its subject as an owner only as a whole, and an address only if it is verified', () => {
    const bySubject = tenancyOf(UNKNOWN, { tenancy: 'shared', owner: ['sub'] })
    expect(problemWith(bySubject, { subject: 'org:acme:app' })).toBeUndefined()
    expect(problemWith(bySubject, { subject: 'org:acme:*' })).toMatch(/the whole world/)
    const byAddress = tenancyOf(UNKNOWN, { tenancy: 'shared', owner: ['email'] })
    const email = 'me@example.com'
    expect(problemWith(byAddress, { claims: { email } })).toMatch(/pins only beside email_verified: true/)
    expect(problemWith(byAddress, { claims: { email, email_verified: true } })).toBeUndefined()
  })

  test('demands an owner if it is shared, and none if it is private', () => {
    expect(determine(UNKNOWN, { tenancy: 'shared' })).toMatchObject({ kind: 'problem', key: 'owner' })
    for (const tenancy of ['private', undefined] as const)
      expect(determine(UNKNOWN, { tenancy, owner: ['org_id'] })).toMatchObject({
        kind: 'problem',
        key: 'owner',
        message: 'is only allowed with `tenancy: shared`',
      })
  })

  test.each([
    'iss',
    'aud',
    'exp',
    'iat',
    'nbf',
    'jti',
    'email_verified',
    'ref',
    'environment',
    'scope',
    'name',
  ])('refuses %s as an owner, which tells nobody from another', claim => {
    expect(determine(UNKNOWN, { tenancy: 'shared', owner: ['org_id', claim] })).toMatchObject({
      key: 'owner',
      message: expect.stringContaining(`has ${claim}, which does not pin an owner`),
    })
  })

  test('takes one with pinned keys for private, unless it is on the host of a shared provider', () => {
    for (const issuer of [UNKNOWN, 'https://kubernetes.default.svc', 'not a URL'])
      expect(determine(issuer, { hasPinnedKeys: true })).toEqual({ kind: 'private' })
    for (const issuer of ['https://gitlab.com/acme', 'https://api.pulumi.com/oidc/v3'])
      expect(determine(issuer, { hasPinnedKeys: true })).toMatchObject({ key: 'tenancy' })
    expect(determine(UNKNOWN, { hasPinnedKeys: true, tenancy: 'shared', owner: ['a'] }).kind).toBe('shared')
  })
})

describe('determineTenancy of an issuer that names its tenant', () => {
  test.each([
    ...PRIVATE_ISSUER_FORMS.map(({ example }) => example),
    'https://oidc.eks.cn-north-1.amazonaws.com.cn/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
    'https://oidc-eks.eu-central-1.api.aws/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
    'https://oidc.prod-aks.azure.com/66666666-7777-8888-9999-000000000000/',
    'https://login.microsoftonline.us/11111111-2222-3333-4444-555555555555/v2.0',
    'https://acme.okta.com',
    'https://acme.oktapreview.com/oauth2/aus1a2b3c4',
    'https://acme.auth0.com/',
    'https://issuer-cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Ab12Cd34E',
    'https://token.actions.acme.ghe.com',
    'https://kubernetes.default.svc',
    'http://127.0.0.1:8080',
    'https://localhost:8443/realms/dev',
    'http://[::1]:9000',
  ])('takes %s for private', issuer => {
    expect(determine(issuer)).toEqual({ kind: 'private' })
    expect(determine(issuer, { tenancy: 'private' })).toEqual({ kind: 'private' })
  })

  test('may be declared shared, if anybody can become a user of the tenant', () => {
    const tenancy = tenancyOf('https://acme.us.auth0.com/', { tenancy: 'shared', owner: ['org_id'] })
    expect(problemWith(tenancy, { claims: { scope: 'read' } })).toMatch(/the whole world/)
    expect(problemWith(tenancy, { claims: { org_id: 'org_1' } })).toBeUndefined()
  })
})

describe('determineTenancy of a shared provider', () => {
  test.each(SHARED_OIDC_PROVIDERS.flatMap(({ name, issuers }) => issuers.map(issuer => [name, issuer])))(
    'refuses to take %s for private: %s',
    (name, issuer) => {
      for (const hasPinnedKeys of [false, true])
        expect(determine(issuer, { tenancy: 'private', hasPinnedKeys })).toEqual({
          kind: 'problem',
          key: 'tenancy',
          message: `cannot be private, because the whole world can get a JWT from ${name}: leave it out, and pin an owner in each grant`,
        })
      expect(determine(issuer, { hasPinnedKeys: true })).toEqual(determine(issuer))
      expect(determine(issuer, { tenancy: 'shared' })).toEqual(determine(issuer))
    },
  )

  test('lets an owner narrow the claims that pin, and never widen them', () => {
    const byId = tenancyOf(GITHUB, { owner: ['repository_id', 'sub'] })
    expect(problemWith(byId, { claims: { repository_id: 1 } })).toBeUndefined()
    expect(problemWith(byId, { subject: 'repo:acme/*' })).toBeUndefined()
    expect(problemWith(byId, { claims: { repository: 'acme/app' } })).toMatch(
      /by one of repository_id, sub \(/,
    )
    expect(determine(GITHUB, { owner: ['repository_id', 'runner_environment'] })).toMatchObject({
      key: 'owner',
      message: expect.stringMatching(
        /^has runner_environment, which jeton does not know to pin an owner at GitHub Actions/,
      ),
    })
    expect(determine(GITHUB, { owner: ['actor'] })).toMatchObject({
      key: 'owner',
      message: expect.stringContaining('it names who started the run'),
    })
  })
})

describe('determineTenancy of Microsoft Entra ID', () => {
  test.each(['common', 'organizations', 'consumers', 'COMMON', '{tenantid}', '%7Btenantid%7D'])(
    'refuses %s, which is in no JWT',
    tenant => {
      for (const url of [
        `https://login.microsoftonline.com/${tenant}/v2.0`,
        `https://login.microsoftonline.com/${tenant}/`,
        `https://sts.windows.net/${tenant}/`,
        `https://login.microsoftonline.us/${tenant}/v2.0`,
      ])
        for (const tenancy of ['private', 'shared', undefined] as const)
          expect(determine(url, { tenancy, hasPinnedKeys: true }), url).toMatchObject({
            key: 'issuer',
            message: expect.stringMatching(/^is in no JWT.*TENANT-ID\/v2\.0/),
          })
    },
  )

  test.each(['acme.onmicrosoft.com', 'live.com', 'botframework.com'])(
    'refuses the domain %s, which may be that of a tenant of everybody and is in no JWT',
    domain => {
      for (const url of [
        `https://login.microsoftonline.com/${domain}/v2.0`,
        `https://login.windows.net/${domain}/`,
        `https://sts.windows.net/${domain}/`,
      ])
        expect(determine(url, { tenancy: 'private' }), url).toMatchObject({
          key: 'issuer',
          message: expect.stringContaining(`in the place of \`${domain}\`: write the id of yours`),
        })
    },
  )

  const TENANT = '11111111-2222-3333-4444-555555555555'

  test.each([
    `https://login.microsoftonline.com/${TENANT}`,
    `https://login.microsoftonline.com/${TENANT}/`,
    `https://login.microsoftonline.com/${TENANT}/v2.0/`,
    `https://login.microsoftonline.com/${TENANT}/v2.0/../v2.0`,
    `https://login.microsoftonline.com/${TENANT.replace('1111', 'ABCD')}/v2.0`,
    `https://login.windows.net/${TENANT}/`,
    `https://sts.windows.net/${TENANT}`,
    `https://sts.windows.net/${TENANT}/v2.0`,
    `https://sts.windows.net/${TENANT}/https://x`,
  ])('refuses %s, which is in no JWT, with both that are', url => {
    const tenant = url.includes('ABCD') ? TENANT.replace('1111', 'abcd') : TENANT
    for (const tenancy of ['private', 'shared', undefined] as const)
      expect(determine(url, { tenancy, hasPinnedKeys: true })).toEqual({
        kind: 'problem',
        key: 'issuer',
        message: `is in no JWT: those of this tenant have \`https://login.microsoftonline.com/${tenant}/v2.0\` or \`https://sts.windows.net/${tenant}/\`, to the letter`,
      })
  })

  test('names the cloud that the tenant is in', () => {
    const messageOf = (url: string) => {
      const tenancy = determine(url, { tenancy: 'private' })
      return tenancy.kind === 'problem' ? tenancy.message : expect.unreachable()
    }
    expect(messageOf(`https://login.chinacloudapi.cn/${TENANT}/`)).toContain(
      `\`https://login.partner.microsoftonline.cn/${TENANT}/v2.0\` or \`https://sts.chinacloudapi.cn/${TENANT}/\``,
    )
    expect(messageOf(`https://login.microsoftonline.us/${TENANT}`)).toContain(
      `\`https://login.microsoftonline.us/${TENANT}/v2.0\` or \`https://sts.windows.net/${TENANT}/\``,
    )
    for (const url of [
      `https://login.microsoftonline.us/${TENANT}/v2.0`,
      `https://sts.chinacloudapi.cn/${TENANT}/`,
    ])
      expect(determine(url)).toEqual({ kind: 'private' })
    expect(messageOf('https://login.microsoftonline.com/')).toContain('write the id of yours')
  })

  test.each([
    ['for all', '33e01921-4d64-4f8c-a055-5bdaffd5e33d'],
    ['for governments', 'cab8a31a-1906-4287-a0d8-4eef66b95f6e'],
  ])("refuses Microsoft's tenant for Sentinel %s, whose JWTs name no customer", (_, tenant) => {
    for (const url of [
      `https://sts.windows.net/${tenant}/`,
      `https://login.microsoftonline.com/${tenant}/v2.0`,
    ])
      expect(determine(url, { tenancy: 'private' })).toMatchObject({
        key: 'issuer',
        message: expect.stringContaining('shared by all customers of Microsoft Sentinel'),
      })
  })

  test.each(['d6d49420-f39b-4df7-a1dc-d59a935871db', 'f8cdef31-a31e-4b4a-93e4-5f571e91255a'])(
    'takes the tenant %s for shared, where whoever registers a bot gets a JWT',
    tenant => {
      for (const url of [
        `https://login.microsoftonline.com/${tenant}/v2.0`,
        `https://sts.windows.net/${tenant}/`,
      ]) {
        const shared = tenancyOf(url)
        expect(problemWith(shared, { claims: { idtyp: 'app', tid: tenant } })).toMatch(/the whole world/)
        expect(problemWith(shared, { claims: { appid: 'mine' } })).toBeUndefined()
      }
    },
  )

  test('takes the tenant of all personal accounts for shared', () => {
    for (const url of [
      'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
      'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/',
    ])
      expect(tenancyOf(url).kind).toBe('shared')
  })
})

describe('determineTenancy of an address that is in no JWT', () => {
  test.each([
    ['https://idp.example/.well-known/openid-configuration', 'its discovery document', 'https://idp.example'],
    [
      'https://idp.example/a/.well-known/openid-configuration/',
      'its discovery document',
      'https://idp.example/a',
    ],
    [
      'https://idp.example/.well-known/oauth-authorization-server/a',
      'its discovery document',
      'https://idp.example/a',
    ],
    ['https://gitlab.com/.well-known/openid-configuration', 'its discovery document', 'https://gitlab.com'],
    [
      'https://idp.example/a/.well-known/openid-configuration?p=b',
      'its discovery document',
      'https://idp.example/a',
    ],
    ['https://idp.example/.well-known/jwks.json', 'its keys', 'https://idp.example'],
    ['https://idp.example/jwks', 'its keys', 'https://idp.example'],
    ['https://cluster.example/openid/v1/jwks', 'its keys', 'https://cluster.example'],
    [
      'https://sso.example/realms/a/protocol/openid-connect/certs',
      'its keys',
      'https://sso.example/realms/a',
    ],
    ['https://acme.okta.com/oauth2/default/v1/keys', 'its keys', 'https://acme.okta.com/oauth2/default'],
    [
      'https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE/keys',
      'its keys',
      'https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE',
    ],
    ['https://gitlab.example/oauth/discovery/keys', 'its keys', 'https://gitlab.example'],
    [
      'https://sso.example/realms/a/protocol/openid-connect/token',
      'one of its endpoints',
      'https://sso.example/realms/a',
    ],
    ['https://idp.example/oauth2/token', 'one of its endpoints', 'https://idp.example'],
  ])('refuses %s, the address of %s', (url, name, base) => {
    for (const tenancy of ['private', undefined] as const)
      for (const hasPinnedKeys of [false, true])
        expect(determine(url, { tenancy, hasPinnedKeys })).toEqual({
          kind: 'problem',
          key: 'issuer',
          message: `is the address of ${name}, not the \`iss\` of JWTs: write the \`issuer\` that its discovery document names, probably \`${base}\``,
        })
  })

  test.each([
    ['https://github.com', 'https://token.actions.githubusercontent.com'],
    ['https://github.com/acme/app', 'https://token.actions.githubusercontent.com'],
    ['https://buildkite.com/acme', 'https://agent.buildkite.com'],
  ])('refuses %s, the site of a service whose JWTs have %s', (url, iss) => {
    expect(determine(url, { tenancy: 'private' })).toEqual({
      kind: 'problem',
      key: 'issuer',
      message: `is the site of a service, and in none of its JWTs: they have \`${iss}\``,
    })
  })

  test.each([
    'https://idp.example/keys/acme',
    'https://jwks.example',
    'https://idp.example/tokens',
    'https://idp.example/v1',
  ])('takes %s, which may be in a JWT', url =>
    expect(determine(url, { tenancy: 'private' })).toEqual({ kind: 'private' }),
  )
})
