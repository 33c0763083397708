import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyToken } from '../../../src/dev/aws/rds-verifier.ts'
import { mintWithAws, ROLE_ARN } from '../../support/aws/mint-token.ts'
import { type Sts, startSts } from '../../support/aws/sts.ts'
import { INVALID_TOKENS } from '../../support/databases/invalid-tokens.ts'
import { ORDERS } from '../../support/databases/orders.ts'

const user = 'app_ro'
const MINUTE_MS = 60_000
let sts: Sts
let token: string
const options = () => ({ sts, endpoint: ORDERS, user })
const verify = (overrides: { token?: string; now?: number; user?: string }) =>
  verifyToken({ token, user, now: Date.now(), endpoint: ORDERS, sts, ...overrides })

beforeAll(async () => {
  sts = await startSts()
  token = await mintWithAws(options())
})
afterAll(() => sts.close())

describe('a token signed by AWS’s own libraries', () => {
  test('is accepted, with the assumed role as its identity', () => {
    expect(token.length).toBeGreaterThan(1024)
    expect(verify({})).toEqual({
      ok: true,
      identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.app_ro',
    })
  })

  test.each(INVALID_TOKENS)('is refused: $name', async ({ mint, reason }) => {
    expect(verify({ token: await mint(options()) })).toEqual({ ok: false, reason })
  })

  test('is refused for another login than it names', () => {
    expect(verify({ user: 'APP_RO' }).reason).toBe('signed for another user')
  })

  test('is accepted for 15 minutes and not a millisecond longer', () => {
    const at = Date.parse(
      (/X-Amz-Date=(\w+)/.exec(token)?.[1] ?? '').replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'),
    )
    expect(verify({ now: at + 15 * MINUTE_MS - 1 }).ok).toBe(true)
    expect(verify({ now: at + 15 * MINUTE_MS }).reason).toBe('token expired')
    expect(verify({ now: at - 6 * MINUTE_MS }).reason).toBe('signed in the future')
  })

  test('is refused once the session that signed it has expired', async () => {
    sts.faults.lifetimeMs = 5 * MINUTE_MS
    const short = await mintWithAws(options())
    sts.faults.lifetimeMs = undefined
    expect(verify({ token: short, now: Date.now() + 4 * MINUTE_MS }).ok).toBe(true)
    expect(verify({ token: short, now: Date.now() + 5 * MINUTE_MS }).reason).toBe('session expired')
  })

  test('is refused if the sessions are those of another STS', async () => {
    const other = await startSts()
    expect(verifyToken({ token, user, now: Date.now(), endpoint: ORDERS, sts: other }).reason).toBe(
      'unknown credentials',
    )
    await other.close()
  })

  test('is refused with any one character changed', () => {
    const change = fc.tuple(fc.nat(token.length - 1), fc.integer({ min: 33, max: 126 }))
    fc.assert(
      fc.property(change, ([index, code]) => {
        const changed = token.slice(0, index) + String.fromCharCode(code) + token.slice(index + 1)
        // %2f means the same as %2F.
        fc.pre(changed.toLowerCase() !== token.toLowerCase() || !/%\w?$/.test(token.slice(0, index)))
        fc.pre(changed !== token)
        expect(verify({ token: changed }).ok).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  test('is refused with a repeated parameter', () => {
    expect(verify({ token: `${token}&DBUser=app_ro` }).reason).toBe('not a token')
  })
})

test('verifyToken never throws, whatever the text', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      expect(verify({ token: text }).ok).toBe(false)
      expect(verify({ token: `${ORDERS.host}:5432/?${text}` }).ok).toBe(false)
    }),
  )
})

test('a Deny in the session policy overrides its Allow', async () => {
  const resource = `arn:aws:rds-db:us-east-1:123456789012:dbuser:${ORDERS.resourceId}/${user}`
  const statement = (Effect: string) => ({ Effect, Action: ['rds-db:connect'], Resource: [resource] })
  const accessKeyId = /Credential=(\w+)/.exec(token)?.[1] ?? ''
  const session = sts.session(accessKeyId)!
  expect(session.roleArn).toBe(ROLE_ARN)
  const withPolicy = (...effects: string[]) => ({
    session: () => ({ ...session, policy: JSON.stringify({ Statement: effects.map(statement) }) }),
  })
  const login = { token, user, now: Date.now(), endpoint: ORDERS }
  expect(verifyToken({ ...login, sts: withPolicy('Allow') }).ok).toBe(true)
  expect(verifyToken({ ...login, sts: withPolicy('Allow', 'Deny') }).ok).toBe(false)
})
