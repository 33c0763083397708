import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { systemClock } from '../../src/clock.ts'
import { pinnedKeys } from '../../src/principals/key-set.ts'
import { createOidc } from '../../src/principals/oidc.ts'
import { REMEMBERED_BYTES } from '../../src/principals/remembered.ts'

/** Verifies a million JWTs, no two alike, as a CI fleet would bring them, and says by how much the heap grew. */
const JWTS = 1_000_000
const ISSUER = 'https://token.actions.githubusercontent.com'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' }
const clock = systemClock()
const keys = pinnedKeys({ keys: [jwk] })
const oidc = createOidc({ issuers: [{ name: 'github', issuer: ISSUER, audience: 'jeton', keys }], clock })

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = encode({ alg: 'ES256', kid: 'k', typ: 'JWT' })

function jwt(): string {
  const now = Math.floor(clock.now() / 1000)
  const claims = {
    iss: ISSUER,
    aud: 'jeton',
    sub: 'repo:acme/orders:ref:refs/heads/main',
    jti: randomUUID(),
    iat: now,
    exp: now + 3600,
    repository: 'acme/orders',
    repository_id: '123456',
    repository_owner: 'acme',
    ref: 'refs/heads/main',
    run_id: randomUUID(),
    workflow_ref: 'acme/orders/.github/workflows/deploy.yml@refs/heads/main',
  }
  const body = `${header}.${encode(claims)}`
  return `${body}.${sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function used(): number {
  global.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1024 / 1024
}

for (let i = 0; i < 1000; i++) await oidc.identify(jwt())
const before = used()
let most = 0
for (let i = 1; i <= JWTS; i++) {
  await oidc.identify(jwt())
  if (i % 100_000 === 0) most = Math.max(most, used() - before)
}
const result = { jwts: JWTS, boundMiB: REMEMBERED_BYTES / 1024 / 1024, grownMiB: most }
process.stdout.write(JSON.stringify(result))
