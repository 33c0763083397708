import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { pinKeys } from '../../src/authentication/issuer-keys.ts'
import { MAX_CACHE_BYTES } from '../../src/authentication/verified-jwt-cache.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { lifetimeOf } from '../../src/tokens/lifetime.ts'
import { compileAccessPolicy } from '../../src/vending/access-policy.ts'
import { createRepeatVend } from '../../src/vending/repeat-vend.ts'
import { createRequestAudits } from '../../src/vending/request-audit.ts'
import { ORDERS } from '../support/databases/orders.ts'

/** Vends to a million different JWTs, as CI jobs bring them, and prints by how much the heap grew. */
const JWTS = 1_000_000
const ISSUER = 'https://token.actions.githubusercontent.com'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' }
const clock = systemClock()
const accessPolicy = compileAccessPolicy(
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
    origin: { sha256: '', files: {} },
  },
  { clock, keysOf: ({ jwks }) => pinKeys(jwks) },
)

const issuedAt = clock.now()
/** One for all, since tokens have a bound of their own. */
const token = {
  text: 'token',
  fingerprint: 'f'.repeat(64),
  identity: `${ORDERS.roleArn}/orders`,
  ...lifetimeOf({ issuedAt, sessionExpiresAt: Infinity }),
}
const repeatVend = createRepeatVend({ recall: () => token })
const beginAudit = createRequestAudits({
  auditLog: {
    write: async () => {},
    writeLine: (_line, onWritten) => queueMicrotask(onWritten),
    admitRefusal: () => undefined,
  },
  clock,
  instance: 'bench/1',
})

/** Has everything remembered that requests leave behind for a JWT: its principal, and a vend for each database user. */
async function vendToNewJwt(): Promise<void> {
  const principal = await accessPolicy.authenticator.authenticate(`Bearer ${jwt()}`)
  const access = accessPolicy.accessOf(principal)
  for (const user of ORDERS.users) {
    const audit = beginAudit({ requestId: randomUUID(), sourceIp: '192.0.2.7', userAgent: 'bench' })
    audit.identify(access)
    await new Promise<void>((resolve, reject) => {
      const isRepeat = repeatVend({ access, audit, request: { database: 'orders', user } }, error =>
        error ? reject(error) : resolve(),
      )
      if (!isRepeat) reject(new Error('it was no repeat vend'))
    })
  }
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

function usedMiB(): number {
  global.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1024 / 1024
}

for (let i = 0; i < 1000; i++) await vendToNewJwt()
const before = usedMiB()
let most = 0
for (let i = 1; i <= JWTS; i++) {
  await vendToNewJwt()
  if (i % 100_000 === 0) most = Math.max(most, usedMiB() - before)
}
const result = { jwts: JWTS, boundMiB: MAX_CACHE_BYTES / 1024 / 1024, grownMiB: most }
process.stdout.write(JSON.stringify(result))
