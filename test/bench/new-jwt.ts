import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { pinKeys } from '../../src/authentication/issuer-keys.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { compileAccessPolicy } from '../../src/vending/access-policy.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { compareCpu, readScriptArguments } from './in-process.ts'
import type { Comparison } from './pairs.ts'
import { reportCheck, reportFigure } from './report.ts'

/** Verifies JWTs that were never seen, as jeton does, over `jwtVerify` of jose with the same key set. Argument: the algorithm. */
const JWTS = 2000
const MAX_RATIO = 1.25
const ISSUER = 'https://token.actions.githubusercontent.com'
const AUDIENCE = 'jeton'

const {
  plan,
  args: [algorithm = 'ES256'],
} = readScriptArguments()
const { publicKey, privateKey } = await generateKeyPair(algorithm)
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: algorithm }] }
const jwts = await Promise.all(Array.from({ length: JWTS }, (_, run) => sign(run)))

/** Like a job's of GitHub Actions. */
function sign(run: number): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({
    sub: 'repo:acme/orders:ref:refs/heads/main',
    jti: randomUUID(),
    repository: 'acme/orders',
    repository_id: '123456',
    repository_owner: 'acme',
    repository_owner_id: '65',
    repository_visibility: 'private',
    ref: 'refs/heads/main',
    ref_type: 'branch',
    sha: '10e53ea5a3e9b5a55b0a3c1a2b6a5a1a5f1e9e5c',
    run_id: String(run),
    run_attempt: '1',
    event_name: 'push',
    actor: 'someone',
    actor_id: '12',
    workflow: 'deploy',
    workflow_ref: 'acme/orders/.github/workflows/deploy.yml@refs/heads/main',
    job_workflow_ref: 'acme/orders/.github/workflows/deploy.yml@refs/heads/main',
    runner_environment: 'github-hosted',
  })
    .setProtectedHeader({ alg: algorithm, kid: 'k', typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(now)
    .setExpirationTime(now + 3600)
    .sign(privateKey)
}

/** Returns an authenticator that has seen no JWT yet. */
function createAuthenticator() {
  const config = {
    server: { host: '127.0.0.1', port: 0 },
    issuers: [{ name: 'github', issuer: ISSUER, audience: AUDIENCE, jwks }],
    apiKeys: {},
    databases: [ORDERS],
    grants: [],
    store: { type: 'memory' as const },
    audit: [],
    origin: { sha256: '', files: {} },
  }
  return compileAccessPolicy(config, { clock: systemClock(), keysOf: ({ jwks }) => pinKeys(jwks) })
    .authenticator
}

/** Returns how many JWTs were verified, which are all or it throws. */
async function verifyAll(
  subjectOf: (jwt: string) => Promise<string | undefined>,
  atOnce: number,
): Promise<number> {
  for (let start = 0; start < JWTS; start += atOnce) {
    const subjects = await Promise.all(jwts.slice(start, start + atOnce).map(subjectOf))
    if (!subjects.every(subject => subject?.startsWith('repo:acme/')))
      throw new Error('a JWT was not verified')
  }
  return JWTS
}

/** Compares the two, with so many JWTs at one time. */
function compare(atOnce: number) {
  return compareCpu(
    {
      async subject() {
        const authenticator = createAuthenticator()
        const subjectOf = async (jwt: string) => (await authenticator.authenticate(`Bearer ${jwt}`)).subject
        return () => verifyAll(subjectOf, atOnce)
      },
      async base() {
        const keySet = createLocalJWKSet(jwks)
        const demands = { issuer: ISSUER, audience: AUDIENCE, algorithms: [algorithm] }
        return () => verifyAll(async jwt => (await jwtVerify(jwt, keySet, demands)).payload.sub, atOnce)
      },
    },
    plan,
  )
}

const single = await compare(1)
reportCheck(`a JWT never seen (${algorithm}) over jose's own verification, at most ${MAX_RATIO} ×`, {
  isKept: single.ratio <= MAX_RATIO,
  figure: describe(single),
})
reportFigure('  the same, 16 at once', describe(await compare(16)))

function describe({ shown, subject, base }: Comparison): string {
  return `${shown}, ${subject.toFixed(0)} µs of CPU to ${base.toFixed(0)}`
}
