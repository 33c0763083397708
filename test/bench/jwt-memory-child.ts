import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { systemClock } from '../../src/clock.ts'
import { compileRules } from '../../src/config/rules.ts'
import { pinnedKeys } from '../../src/principals/key-set.ts'
import { REMEMBERED_BYTES } from '../../src/principals/remembered.ts'
import { ORDERS } from '../world/orders.ts'

/** Verifies a million JWTs, no two alike, as a CI fleet would bring them, and says by how much the heap grew. */
const JWTS = 1_000_000
const ISSUER = 'https://token.actions.githubusercontent.com'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' }
const clock = systemClock()
const rules = compileRules(
  {
    server: { host: '127.0.0.1', port: 0 },
    issuers: [{ name: 'github', issuer: ISSUER, audience: 'jeton', jwks: { keys: [jwk] } }],
    apiKeys: {},
    databases: [ORDERS],
    grants: [
      {
        name: 'orders-deploy',
        principal: { issuer: 'github', claims: { repository_id: 123456 } },
        database: 'orders',
        users: ORDERS.users,
        session: 'per-principal',
      },
    ],
    store: { type: 'memory' },
    audit: [],
  },
  { clock, keysOf: ({ jwks }) => pinnedKeys(jwks) },
)

/** All that a request remembers of a JWT: the principal, where it stands, and a key for each database user. */
async function ask(): Promise<void> {
  const principal = await rules.callers.identify(`Bearer ${jwt()}`)
  for (const user of ORDERS.users) rules.standingOf(principal).decide({ database: 'orders', user })
}

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

for (let i = 0; i < 1000; i++) await ask()
const before = used()
let most = 0
for (let i = 1; i <= JWTS; i++) {
  await ask()
  if (i % 100_000 === 0) most = Math.max(most, used() - before)
}
const result = { jwts: JWTS, boundMiB: REMEMBERED_BYTES / 1024 / 1024, grownMiB: most }
process.stdout.write(JSON.stringify(result))
