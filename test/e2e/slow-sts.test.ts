import { test } from 'vitest'
import { startServers } from './servers.ts'

const ORDERS = { database: 'orders' }
/** At once: all they do is wait. */
const AT_ONCE = { timeout: 60_000, concurrent: true }

test(
  'an STS that takes 4 s for each reply serves every caller',
  AT_ONCE,
  async ({ expect, onTestFinished }) => {
    const { environment, startServer, bearer } = await startServers(onTestFinished)
    environment().sts.faults.delayMs = 4000
    const jeton = await startServer()
    const jwt = await bearer()
    const replies = await Promise.all([1, 2, 3].map(() => jeton.requestToken(jwt, ORDERS)))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
    await jeton.logged('assume_role_slow')
    expect((await fetch(`${jeton.url}/readyz`)).status).toBe(200)
  },
)

test(
  'an STS that takes 7 s refuses the first caller with Retry-After, and serves who comes back',
  AT_ONCE,
  async ({ expect, onTestFinished }) => {
    const { environment, startServer, bearer, auditRecords } = await startServers(onTestFinished)
    environment().sts.faults.delayMs = 7000
    const jeton = await startServer()
    const jwt = await bearer()
    const first = await jeton.requestToken(jwt, ORDERS)
    expect([first.status, first.body.code, first.headers.get('retry-after')]).toEqual([
      503,
      'temporarily_unavailable',
      '1',
    ])
    // its call to STS is still under way: nobody has been told anything yet
    expect(environment().sts.calls).toEqual([])
    const second = await jeton.requestToken(jwt, ORDERS)
    expect([second.status, second.body.cached]).toEqual([200, false])
    const records = (await auditRecords()).map(({ decision, code = '', reason = '' }) => [
      decision,
      code,
      reason,
    ])
    expect(records).toEqual([
      ['failed', 'temporarily_unavailable', expect.stringContaining('within 5 s: STS has not answered')],
      ['vended', '', ''],
    ])
  },
)

test(
  'renewals disturb nobody while STS is slow, nor when it then is dead',
  AT_ONCE,
  async ({ expect, onTestFinished }) => {
    const { environment, startServer, bearer } = await startServers(onTestFinished)
    const { sts } = environment()
    // a session of 6 minutes makes a token that is due for renewal at once, with a new session
    sts.faults.lifetimeMs = 6 * 60_000
    const jeton = await startServer()
    const jwt = await bearer()
    const first = await jeton.requestToken(jwt, ORDERS)
    sts.faults.delayMs = 4000
    const { length } = sts.calls
    const meanwhile = await jeton.requestToken(jwt, ORDERS)
    // it got the current token before STS replied
    expect([meanwhile.body.token, sts.calls.length]).toEqual([first.body.token, length])
    await expect.poll(() => sts.calls.length, { timeout: 10_000 }).toBeGreaterThan(length)
    const renewed = await jeton.requestToken(jwt, ORDERS)
    expect(renewed.status).toBe(200)
    expect(renewed.body.token).not.toBe(first.body.token)

    sts.faults.delayMs = 0
    sts.faults.hanging = true
    for (let i = 0; i < 5; i++) {
      const reply = await jeton.requestToken(jwt, ORDERS)
      expect([reply.status, reply.body.cached]).toEqual([200, true])
    }
    // who needs a new session is refused, and served once STS answers again
    const ledger = await jeton.requestToken(jwt, { database: 'ledger' })
    expect([ledger.status, ledger.body.code]).toEqual([503, 'temporarily_unavailable'])
    sts.faults.hanging = false
    await expect
      .poll(async () => (await jeton.requestToken(jwt, { database: 'ledger' })).status, { timeout: 30_000 })
      .toBe(200)
  },
)
