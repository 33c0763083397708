import { describe, expect, test } from 'vitest'
import { useServers } from './servers.ts'

const { environment, startServer, bearer, auditRecords } = useServers()

describe('a fault of AWS', () => {
  test('has its own code: role_refused for a refused role, temporarily_unavailable for a failing STS', async () => {
    const jeton = await startServer()
    const jwt = await bearer()
    environment().sts.faults.deniedRoles.add('arn:aws:iam::123456789012:role/jeton-orders')
    const refused = await jeton.requestToken(jwt, { database: 'orders' })
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      502,
      'role_refused',
      null,
    ])
    environment().sts.faults.deniedRoles.clear()
    environment().sts.faults.failing = true
    // The role breaker retries after a second, then after a longer backoff.
    const requestToken = () => jeton.requestToken(jwt, { database: 'orders' })
    const timeout = { timeout: 15_000 }
    await expect.poll(async () => (await requestToken()).body.code, timeout).toBe('temporarily_unavailable')
    expect((await requestToken()).headers.get('retry-after')).toMatch(/^\d+$/)
    environment().sts.faults.failing = false
    await expect.poll(async () => (await requestToken()).status, timeout).toBe(200)
    const codes = async () => (await auditRecords()).map(({ decision, code = '' }) => `${decision} ${code}`)
    await expect
      .poll(async () => [...new Set(await codes())])
      .toEqual(['failed role_refused', 'failed temporarily_unavailable', 'vended '])
  })

  test('is explained by its cause in the record and the log, with what AWS says, to the operator alone', async () => {
    const jeton = await startServer()
    const role = 'arn:aws:iam::123456789012:role/jeton-orders'
    const message = `User: arn:aws:sts::210987654321:assumed-role/jeton/pod-1 is not authorized to perform: sts:TagSession on resource: ${role}`
    environment().sts.faults.error = { status: 403, code: 'AccessDenied', message }
    const { status, body } = await jeton.requestToken(await bearer(), { database: 'orders' })
    expect([status, body.code]).toEqual([502, 'role_refused'])
    expect(JSON.stringify(body)).not.toMatch(/TagSession|123456789012/)
    await expect
      .poll(async () => (await auditRecords())[0]?.reason)
      .toMatch(/AccessDenied \(403\).*must both allow sts:TagSession/)
    const line = JSON.parse(await jeton.logged('assume_role_failed'))
    expect(line.reason).toContain(`AWS says: ${message}`)
  })

  test("of jeton's own credentials is 503, not the role's, and shows no secret", async () => {
    const { sts } = environment()
    const { AWS_SECRET_ACCESS_KEY = '' } = sts.environment()
    const wrongKey = AWS_SECRET_ACCESS_KEY.replace(/^./, char => (char === 'a' ? 'b' : 'a'))
    const jeton = await startServer({}, { env: { ...sts.environment(), AWS_SECRET_ACCESS_KEY: wrongKey } })
    const { status, body, headers } = await jeton.requestToken(await bearer(), { database: 'orders' })
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
    await expect
      .poll(async () => (await auditRecords())[0]?.reason)
      .toMatch(/SignatureDoesNotMatch.*secret key/)
    const shown = [
      await jeton.logged('assume_role_failed'),
      JSON.stringify([body, await auditRecords()]),
    ].join()
    for (const secret of [wrongKey, sts.credentials.accessKeyId]) expect(shown).not.toContain(secret)
  })

  test('does not affect callers whose token is cached', async () => {
    const jeton = await startServer()
    const jwt = await bearer()
    await jeton.requestToken(jwt, { database: 'orders' })
    environment().sts.faults.failing = true
    expect((await jeton.requestToken(jwt, { database: 'orders' })).body.cached).toBe(true)
  })
})

test("jeton corrects a clock that is minutes off by STS's Date, and signs with the right time", async () => {
  environment().sts.faults.clockShiftMs = 4 * 60_000
  const jeton = await startServer()
  const { body } = await jeton.requestToken(await bearer(), { database: 'orders' })
  await jeton.logged('clock_corrected')
  const ahead = Date.parse(String(body.issuedAt)) - Date.now()
  expect(ahead).toBeGreaterThan(3.5 * 60_000)
})

/** The AWS SDK warns on Node 20, in eight lines of plain text. */
const isOldNode = Number.parseInt(process.versions.node, 10) < 22

test.runIf(isOldNode)('what the AWS SDK says of this Node is one line of the log', async () => {
  const jeton = await startServer()
  await jeton.requestToken(await bearer(), { database: 'orders' })
  await jeton.logged('node_outdated')
  const events = jeton.stderr.map(line => JSON.parse(line).event)
  expect(events.filter(event => event.startsWith('node_'))).toEqual(['node_outdated'])
})

test('a thousand callers at once share one AssumeRole and one token', async () => {
  const jeton = await startServer()
  const jwt = await bearer()
  const answers = await Promise.all(
    Array.from({ length: 1000 }, () => jeton.requestToken(jwt, { database: 'orders' })),
  )
  expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
  expect(answers.filter(({ body }) => body.cached === false)).toHaveLength(1)
  expect(environment().sts.calls).toHaveLength(1)
})

test("per-principal tokens are delivered no faster than the database's limit", async () => {
  const grant = {
    name: 'each',
    principal: { issuer: 'ci', anyone: true },
    database: 'orders',
    users: ['migrator'],
    session: 'per-principal',
  }
  const jeton = await startServer({ grants: [grant] })
  const callers = 40
  const jwts = Array.from({ length: callers }, (_, i) => environment().issuer.sign({ sub: `job-${i}` }))
  const authorizations = (await Promise.all(jwts)).map(jwt => `Bearer ${jwt}`)
  const startedAt = performance.now()
  const answers = await Promise.all(
    authorizations.map(jwt => jeton.requestToken(jwt, { database: 'orders' })),
  )
  const tookMs = performance.now() - startedAt
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect(new Set(answers.map(({ body }) => body.identity)).size).toBe(callers)
  // 16 a second, evenly spread: a slow machine can only make it longer.
  expect(tookMs).toBeGreaterThanOrEqual(((callers - 1) * 1000) / 16)
})
