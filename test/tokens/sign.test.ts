import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Signer } from '@aws-sdk/rds-signer'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { signToken } from '../../src/tokens/sign.ts'
import type { RoleSession } from '../../src/tokens/token.ts'
import { tokenKey } from '../../src/tokens/token-key.ts'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'

const AT = Date.parse('2026-11-23T10:00:00Z')

function randomSession(): RoleSession {
  return {
    accessKeyId: 'ASIAEXAMPLEEXAMPLE12',
    secretAccessKey: `${Math.random()}/secret+${Math.random()}`,
    sessionToken: `${'FwoGZXIvYXdzE/+='.repeat(64)}${Math.random()}`,
    expiresAt: AT + 3_600_000,
    identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
  }
}

const hasAwsCli = await canRun(['awscli', 'faketime'])

/** The parts of a token, independent of their order. */
function partsOf(token: string) {
  const url = new URL(`https://${token}`)
  return { host: url.host, path: url.pathname, query: Object.fromEntries(url.searchParams) }
}

test('signToken returns the presigned request without its scheme, above 1 KB, and the fingerprint of it all', async () => {
  const token = await signToken(tokenKey({ database: ORDERS, user: 'migrator' }), {
    session: randomSession(),
    at: AT + 999,
  })
  expect(token.text).toMatch(
    /^orders\.c9akciq32xyz\.us-east-1\.rds\.amazonaws\.com:5432\/\?Action=connect&DBUser=migrator&X-Amz-/,
  )
  expect(token.text.length).toBeGreaterThan(1024)
  expect(token.fingerprint).toBe(sha256Hex(token.text))
  expect(token).toMatchObject({ issuedAt: AT, refreshAfter: AT + 540_000, expiresAt: AT + 900_000 })
})

describe('signToken agrees in parameters and signature', () => {
  const users = ['migrator', 'app user', 'a+b=c&d/e', "o'brien(1)!", 'ünïcode', 'semi;colon:at@x,y']

  test.each(users)('with @aws-sdk/rds-signer, for user %s', async user => {
    const session = randomSession()
    vi.useFakeTimers({ now: AT, toFake: ['Date'] })
    try {
      const { host: hostname, port, region } = ORDERS
      const signer = new Signer({ hostname, port, username: user, region, credentials: session })
      const theirs = await signer.getAuthToken()
      const ours = await signToken(tokenKey({ database: ORDERS, user }), { session, at: Date.now() })
      expect(partsOf(ours.text)).toEqual(partsOf(theirs))
    } finally {
      vi.useRealTimers()
    }
  })

  test('with @aws-sdk/rds-signer, for any user name', async () => {
    vi.useFakeTimers({ now: AT, toFake: ['Date'] })
    try {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 63 }), async username => {
          const session = randomSession()
          const { host: hostname, port, region } = ORDERS
          const theirs = await new Signer({
            hostname,
            port,
            username,
            region,
            credentials: session,
          }).getAuthToken()
          const ours = await signToken(tokenKey({ database: ORDERS, user: username }), { session, at: AT })
          expect(partsOf(ours.text)).toEqual(partsOf(theirs))
        }),
        { numRuns: 50 },
      )
    } finally {
      vi.useRealTimers()
    }
  })

  test.runIf(hasAwsCli).each(users.slice(0, 3))(
    'with aws rds generate-db-auth-token, for user %s',
    async user => {
      const session = randomSession()
      const args = ['rds', 'generate-db-auth-token', '--hostname', ORDERS.host, '--port', String(ORDERS.port)]
      const { stdout } = await promisify(execFile)(
        await findProgram('faketime'),
        [
          '-f',
          '2026-11-23 10:00:00',
          await findProgram('aws'),
          ...args,
          '--username',
          user,
          '--region',
          ORDERS.region,
        ],
        {
          env: {
            PATH: process.env.PATH,
            TZ: 'UTC',
            AWS_ACCESS_KEY_ID: session.accessKeyId,
            AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
            AWS_SESSION_TOKEN: session.sessionToken,
          },
        },
      )
      const ours = await signToken(tokenKey({ database: ORDERS, user }), { session, at: AT })
      expect(partsOf(ours.text)).toEqual(partsOf(stdout.trim()))
    },
  )
})
