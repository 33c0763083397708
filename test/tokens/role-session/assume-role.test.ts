import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../../src/lib/clock.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import { type AssumeRole, createAssumeRole } from '../../../src/tokens/role-session/assume-role.ts'
import { OwnFailure } from '../../../src/tokens/role-session/sts-failure.ts'
import { tokenKey } from '../../../src/tokens/token-key.ts'
import { type Sts, startSts } from '../../support/aws/sts.ts'
import { hangCredentialSearch, stubAwsConfig, stubEnvironment } from '../../support/aws/stub-environment.ts'
import { holdDeadlines } from '../../support/clock/held-deadlines.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { ORDERS } from '../../support/databases/orders.ts'
import { createLogRecorder, type LogRecorder } from '../../support/service/log-recorder.ts'

const KEY = tokenKey({ database: { ...ORDERS, externalId: 'jeton-1' }, user: 'migrator' })

let sts: Sts
let clock: VirtualClock
let log: LogRecorder
let health: ReturnType<typeof createHealth>
let assume: AssumeRole

beforeEach(async () => {
  sts = await startSts()
  stubEnvironment(sts.environment())
  clock = virtualClock(Date.now())
  log = createLogRecorder()
  health = createHealth()
  assume = createAssumeRole({ clock, health, log })
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await sts.close()
})

test('createAssumeRole asks for one hour, under the session name, for the one database user alone', async () => {
  sts.faults.externalIds.set(ORDERS.roleArn, 'jeton-1')
  const session = await assume(KEY)
  expect(session.identity).toBe('arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator')
  expect(session.expiresAt - Date.now()).toBeGreaterThan(3_500_000)
  const [call] = sts.calls
  expect(call).toMatchObject({
    roleArn: ORDERS.roleArn,
    roleSessionName: 'orders.migrator',
    externalId: 'jeton-1',
    durationSeconds: 3600,
  })
  expect(JSON.parse(call?.policy ?? '')).toEqual({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'rds-db:connect',
        Resource: 'arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/migrator',
      },
    ],
  })
})

test("createAssumeRole asks in the database's region if the environment names none", async () => {
  vi.stubEnv('AWS_REGION', undefined)
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  await assume(tokenKey({ database: { ...ORDERS, region: 'eu-west-3' }, user: 'migrator' }))
  expect(sts.calls[0]?.region).toBe('eu-west-3')
})

test("createAssumeRole passes STS's Date to the clock", async () => {
  sts.faults.clockShiftMs = 120_000
  await assume(KEY)
  const [date] = clock.observed
  expect(Math.abs((date?.getTime() ?? 0) - Date.now() - 120_000)).toBeLessThan(5000)
})

test('createAssumeRole sends a request that had no reply once more, and logs that STS was slow', async () => {
  const machineClock = systemClock()
  assume = createAssumeRole({ clock: machineClock, health, log })
  sts.faults.hanging = true
  const session = assume(KEY)
  await expect.poll(() => sts.calls.length).toBe(1)
  sts.faults.hanging = false
  expect((await session).identity).toContain('orders.migrator')
  expect(sts.calls.map(({ outcome }) => outcome)).toEqual(['hanging', 'issued'])
  expect(log.lines).toMatchObject([
    { fields: { event: 'assume_role_slow', role: ORDERS.roleArn, session: 'orders.migrator' } },
  ])
  expect(health.degraded()).toEqual([])
})

test('createAssumeRole waits for a slow reply', async () => {
  sts.faults.delayMs = 4500
  expect((await assume(KEY)).identity).toContain('orders.migrator')
})

describe('a failure of AssumeRole', () => {
  test('that an operator must mend is role_refused, without Retry-After', async () => {
    sts.faults.deniedRoles.add(ORDERS.roleArn)
    await expect(assume(KEY)).rejects.toMatchObject({ code: 'role_refused', retryAfterMs: undefined })
    expect(health.degraded()).toEqual(['sts'])
  })

  test('that a wrong external id causes is role_refused too', async () => {
    sts.faults.externalIds.set(ORDERS.roleArn, 'another')
    await expect(assume(KEY)).rejects.toMatchObject({ code: 'role_refused' })
  })

  test.each(['throttling', 'failing'] as const)(
    'that passes (%s) is temporarily_unavailable',
    async fault => {
      sts.faults[fault] = true
      const failure = await assume(KEY).catch(cause => cause)
      expect(failure).toMatchObject({ code: 'temporarily_unavailable' })
      expect(failure.retryAfterMs).toBeGreaterThan(0)
      expect(health.degraded()).toEqual(['sts'])
      sts.faults[fault] = false
      await assume(KEY)
      expect(health.degraded()).toEqual([])
    },
  )

  test('that STS causes by not replying is temporarily_unavailable after 12 s', async () => {
    const deadlines = holdDeadlines()
    sts.faults.hanging = true
    await Promise.all([
      expect(assume(KEY)).rejects.toMatchObject({ code: 'temporarily_unavailable' }),
      deadlines.pass(12_000, () => sts.requests() > 0),
    ])
  })

  test('that a search for its own credentials without an end causes is temporarily_unavailable after 10 s', async () => {
    const deadlines = holdDeadlines()
    await hangCredentialSearch()
    const [failure] = await Promise.all([assume(KEY).catch(cause => cause), deadlines.pass(10_000)])
    expect(failure).toBeInstanceOf(OwnFailure)
    expect(failure).toMatchObject({ code: 'temporarily_unavailable' })
    expect(health.degraded()).toEqual(['sts'])
  })

  describe('that the SDK meets on its way to credentials of its own', () => {
    const OWN_ROLE = 'arn:aws:iam::210987654321:role/jeton-profile'

    beforeEach(async () => {
      const { accessKeyId, secretAccessKey } = sts.credentials
      await stubAwsConfig(
        `[profile base]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n[default]\nrole_arn = ${OWN_ROLE}\nsource_profile = base\n`,
      )
    })

    test.each(['AccessDenied', 'ValidationError', 'RegionDisabledException'])(
      'is no refusal of the role: %s',
      async code => {
        sts.faults.error = { status: 400, code, message: 'something' }
        const failure = await assume(KEY).catch(cause => cause)
        expect(sts.calls.map(({ roleArn }) => roleArn)).toEqual([OWN_ROLE])
        expect(failure).toBeInstanceOf(OwnFailure)
        expect(failure.code).toBe('temporarily_unavailable')
        expect(failure.reason).toMatch(new RegExp(`^jeton itself cannot use STS.*${code} .*its profile`))
      },
    )

    test('costs one search for each session, and none while what it found lasts', async () => {
      const folder = await stubAwsConfig('')
      const [found, config] = ['found', 'config'].map(name => join(folder, name))
      const reply = JSON.stringify({
        Version: 1,
        AccessKeyId: sts.credentials.accessKeyId,
        SecretAccessKey: sts.credentials.secretAccessKey,
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      })
      await writeFile(`${folder}/reply.json`, reply)
      await writeFile(
        String(config),
        `[default]\ncredential_process = sh -c "echo x >> ${found}; cat ${folder}/reply.json"\n`,
      )
      await assume(KEY)
      await assume(KEY)
      expect(await readFile(String(found), 'utf8')).toBe('x\n')
    })
  })

  test('never shows a secret', async () => {
    for (const fault of ['throttling', 'failing'] as const) {
      sts.faults[fault] = true
      const failure = await assume(KEY).catch(cause => cause)
      const shown = JSON.stringify([failure.message, failure.reason, failure.publicMessage, log.lines])
      expect(shown).not.toContain(sts.credentials.secretAccessKey)
      expect(shown).not.toContain(sts.credentials.accessKeyId)
    }
  })
})
