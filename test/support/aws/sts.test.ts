import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from '@aws-sdk/client-sts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Sts, startSts } from './sts.ts'

const HOUR_MS = 60 * 60_000
const RoleArn = 'arn:aws:iam::210987654321:role/teams/orders/jeton-orders'
let sts: Sts
beforeEach(async () => {
  sts = await startSts()
})
afterEach(() => sts.close())

function assume(
  input: Partial<AssumeRoleCommandInput> = {},
  options: { credentials?: Sts['credentials']; signal?: AbortSignal } = {},
) {
  const client = new STSClient({
    region: 'eu-central-1',
    endpoint: sts.url,
    credentials: options.credentials ?? sts.credentials,
    maxAttempts: 1,
  })
  const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'orders.app_ro', ...input })
  return client.send(command, options.signal ? { abortSignal: options.signal } : {})
}

test('startSts issues AWS’s client a session that can be looked up', async () => {
  const Policy = '{"Version":"2012-10-17","Statement":[]}'
  const before = Date.now()
  const { Credentials, AssumedRoleUser } = await assume({ Policy, ExternalId: 'x-1', DurationSeconds: 900 })
  expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts::210987654321:assumed-role/jeton-orders/orders.app_ro')
  const session = sts.session(Credentials?.AccessKeyId ?? '')
  expect(session).toMatchObject({
    secret: Credentials?.SecretAccessKey,
    token: Credentials?.SessionToken,
    expiresAt: Credentials?.Expiration?.getTime(),
    policy: Policy,
    roleArn: RoleArn,
    roleSessionName: 'orders.app_ro',
    arn: AssumedRoleUser?.Arn,
  })
  expect(session?.token).toHaveLength(1000)
  expect(session?.expiresAt).toBeGreaterThan(before + 900_000 - 1000)
  expect(session?.expiresAt).toBeLessThanOrEqual(Date.now() + 900_000)
  expect(sts.calls).toEqual([
    {
      roleArn: RoleArn,
      roleSessionName: 'orders.app_ro',
      policy: Policy,
      externalId: 'x-1',
      durationSeconds: 900,
      region: 'eu-central-1',
      outcome: 'issued',
    },
  ])
})

test('startSts issues no two sessions with the same secret', async () => {
  const sessions = await Promise.all([assume(), assume()])
  for (const part of ['AccessKeyId', 'SecretAccessKey', 'SessionToken'] as const)
    expect(new Set(sessions.map(({ Credentials }) => Credentials?.[part])).size).toBe(2)
})

test('startSts refuses a wrong secret, an unknown key and a changed body, and records no call', async () => {
  const { credentials } = sts
  await expect(
    assume({}, { credentials: { ...credentials, secretAccessKey: 'wrong' } }),
  ).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
  await expect(
    assume({}, { credentials: { ...credentials, accessKeyId: 'AKIAOTHER' } }),
  ).rejects.toMatchObject({ name: 'InvalidClientTokenId' })
  expect((await fetch(sts.url, { method: 'POST', body: 'Action=AssumeRole' })).status).toBe(403)

  const genuine = await signRequest()
  const send = (body: string) => fetch(sts.url, { method: 'POST', body, headers: genuine.headers })
  const changed = await send(genuine.body.replace('app_ro', 'app_rw'))
  expect(changed.status).toBe(403)
  expect(await changed.text()).toContain('<Code>SignatureDoesNotMatch</Code>')
  expect(sts.calls).toEqual([])

  expect((await send(genuine.body)).status).toBe(200)
  expect(sts.calls).toHaveLength(1)
  expect(sts.requests()).toBe(5)
})

/** Returns a request as AWS's client signs it, intercepted before it is sent. */
async function signRequest(): Promise<{ body: string; headers: Record<string, string> }> {
  const caught = new Error('caught')
  let request: { body: string; headers: Record<string, string> } | undefined
  const client = new STSClient({
    region: 'us-east-1',
    endpoint: sts.url,
    credentials: sts.credentials,
    maxAttempts: 1,
    requestHandler: {
      handle: async (given: { body: unknown; headers: Record<string, string> }) => {
        request = { body: String(given.body), headers: { ...given.headers } }
        throw caught
      },
    },
  })
  const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'orders.app_ro' })
  await expect(client.send(command)).rejects.toBe(caught)
  // fetch sets these two itself, to the same values.
  const { host: _host, 'content-length': _length, ...headers } = request!.headers
  return { body: request!.body, headers }
}

test.each<[string, Partial<AssumeRoleCommandInput>, string]>([
  ['role', { RoleArn: 'arn:aws:iam::12:role/x-too-short' }, 'ValidationError'],
  ['session name', { RoleSessionName: 'orders/app_ro' }, 'ValidationError'],
  ['duration', { DurationSeconds: 899 }, 'ValidationError'],
  ['policy that is too long', { Policy: JSON.stringify({ Id: 'x'.repeat(2048) }) }, 'ValidationError'],
  ['policy that is not JSON', { Policy: '{' }, 'MalformedPolicyDocument'],
])('startSts refuses an invalid %s', async (_, input, code) => {
  await expect(assume(input)).rejects.toThrow(
    expect.objectContaining({ name: expect.stringContaining(code) }),
  )
  expect(sts.calls).toMatchObject([{ outcome: code }])
})

test('startSts denies a role until the fault is cleared', async () => {
  sts.faults.deniedRoles.add(RoleArn)
  await expect(assume()).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })
  await expect(assume({ RoleArn: `${RoleArn}-2` })).resolves.toBeDefined()
  sts.faults.deniedRoles.clear()
  await expect(assume()).resolves.toBeDefined()
  expect(sts.calls.map(call => call.outcome)).toEqual(['AccessDenied', 'issued', 'issued'])
})

test('startSts denies a role that requires an external id without it', async () => {
  sts.faults.externalIds.set(RoleArn, 'right')
  await expect(assume()).rejects.toMatchObject({ name: 'AccessDenied' })
  await expect(assume({ ExternalId: 'wrong' })).rejects.toMatchObject({ name: 'AccessDenied' })
  await expect(assume({ ExternalId: 'right' })).resolves.toBeDefined()
})

test('startSts throttles, fails and hangs on demand', async () => {
  sts.faults.throttling = true
  await expect(assume()).rejects.toMatchObject({ name: 'Throttling', $metadata: { httpStatusCode: 400 } })
  sts.faults.throttling = false
  sts.faults.failing = true
  await expect(assume()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } })
  sts.faults.failing = false
  sts.faults.hanging = true
  const signal = AbortSignal.timeout(300)
  await expect(assume({}, { signal })).rejects.toMatchObject({ name: 'AbortError' })
  expect(sts.calls.map(call => call.outcome)).toEqual(['Throttling', 'InternalFailure', 'hanging'])
})

test('startSts issues shorter sessions than requested on demand', async () => {
  sts.faults.lifetimeMs = 60_000
  const { Credentials } = await assume({ DurationSeconds: 3600 })
  expect(Credentials?.Expiration?.getTime()).toBeLessThanOrEqual(Date.now() + 60_000)
})

test('startSts refuses old signatures if its clock is ahead, and says so in Date', async () => {
  sts.faults.clockShiftMs = HOUR_MS
  await expect(assume()).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
  const date = (await fetch(sts.url)).headers.get('date') ?? ''
  expect(Math.abs(Date.parse(date) - Date.now() - HOUR_MS)).toBeLessThan(HOUR_MS / 2)
})

test('close ends requests that hang', async () => {
  const other = await startSts()
  other.faults.delayMs = HOUR_MS
  const waiting = fetch(other.url).catch(() => 'ended')
  await expect.poll(() => other.requests()).toBe(1)
  await other.close()
  expect(await waiting).toBe('ended')
})
