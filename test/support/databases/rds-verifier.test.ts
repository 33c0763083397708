import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintWithAws, ROLE_ARN } from '../aws/mint-token.ts'
import { type Sts, startSts } from '../aws/sts.ts'
import { FOREIGN_TOKENS } from './foreign-tokens.ts'
import { ORDERS } from './orders.ts'
import { judge } from './rds-verifier.ts'

const user = 'app_ro'
const MINUTE_MS = 60_000
let sts: Sts
let token: string
const options = () => ({ sts, endpoint: ORDERS, user })
const verdict = (given: { token?: string; now?: number; user?: string }) =>
  judge({ token, user, now: Date.now(), endpoint: ORDERS, sts, ...given })

beforeAll(async () => {
  sts = await startSts()
  token = await mintWithAws(options())
})
afterAll(() => sts.close())

describe('what AWS’s own libraries sign', () => {
  test('is let in, by the assumed role', () => {
    expect(token.length).toBeGreaterThan(1024)
    expect(verdict({})).toEqual({
      ok: true,
      identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.app_ro',
    })
  })

  test.each(FOREIGN_TOKENS)('is refused: $name', async ({ mint, reason }) => {
    expect(verdict({ token: await mint(options()) })).toEqual({ ok: false, reason })
  })

  test('is refused for another login than it names', () => {
    expect(verdict({ user: 'APP_RO' }).reason).toBe('signed for another user')
  })

  test('lives 15 minutes and not a millisecond more', () => {
    const at = Date.parse(
      (/X-Amz-Date=(\w+)/.exec(token)?.[1] ?? '').replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'),
    )
    expect(verdict({ now: at + 15 * MINUTE_MS - 1 }).ok).toBe(true)
    expect(verdict({ now: at + 15 * MINUTE_MS }).reason).toBe('token expired')
    expect(verdict({ now: at - 6 * MINUTE_MS }).reason).toBe('signed in the future')
  })

  test('dies with the session that signed it', async () => {
    sts.faults.lifetimeMs = 5 * MINUTE_MS
    const short = await mintWithAws(options())
    sts.faults.lifetimeMs = undefined
    expect(verdict({ token: short, now: Date.now() + 4 * MINUTE_MS }).ok).toBe(true)
    expect(verdict({ token: short, now: Date.now() + 5 * MINUTE_MS }).reason).toBe('session expired')
  })

  test('is unknown to another STS, whose sessions have other secrets', async () => {
    const other = await startSts()
    expect(judge({ token, user, now: Date.now(), endpoint: ORDERS, sts: other }).reason).toBe(
      'unknown credentials',
    )
    await other.close()
  })

  test('is refused with any one character changed', () => {
    const change = fc.tuple(fc.nat(token.length - 1), fc.integer({ min: 33, max: 126 }))
    fc.assert(
      fc.property(change, ([index, code]) => {
        const changed = token.slice(0, index) + String.fromCharCode(code) + token.slice(index + 1)
        // %2f says the same as %2F.
        fc.pre(changed.toLowerCase() !== token.toLowerCase() || !/%\w?$/.test(token.slice(0, index)))
        fc.pre(changed !== token)
        expect(verdict({ token: changed }).ok).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  test('is refused with a parameter twice', () => {
    expect(verdict({ token: `${token}&DBUser=app_ro` }).reason).toBe('not a token')
  })

  test('no text makes the judge throw', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(verdict({ token: text }).ok).toBe(false)
        expect(verdict({ token: `${ORDERS.host}:5432/?${text}` }).ok).toBe(false)
      }),
    )
  })
})

test('a Deny in the session policy beats its Allow', async () => {
  const resource = `arn:aws:rds-db:us-east-1:123456789012:dbuser:${ORDERS.resourceId}/${user}`
  const statement = (Effect: string) => ({ Effect, Action: ['rds-db:connect'], Resource: [resource] })
  const accessKeyId = /Credential=(\w+)/.exec(token)?.[1] ?? ''
  const session = sts.session(accessKeyId)!
  expect(session.roleArn).toBe(ROLE_ARN)
  const withPolicy = (...effects: string[]) => ({
    session: () => ({ ...session, policy: JSON.stringify({ Statement: effects.map(statement) }) }),
  })
  const asked = { token, user, now: Date.now(), endpoint: ORDERS }
  expect(judge({ ...asked, sts: withPolicy('Allow') }).ok).toBe(true)
  expect(judge({ ...asked, sts: withPolicy('Allow', 'Deny') }).ok).toBe(false)
})
