import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startDynamodb } from '../support/aws/dynamodb.ts'
import { startKms } from '../support/aws/kms.ts'
import { useFunction } from './functions.ts'

const {
  environment,
  deployed,
  lambda,
  closeAfterwards,
  configure,
  startFunction,
  requestToken,
  newestRecord,
  expectLogged,
  records,
} = useFunction()

test('a request whose slot is more than a second away is refused at once', async () => {
  const config = environment().config() as { databases: { orders: object; ledger: object } }
  const { orders, ledger } = config.databases
  const grants = [
    {
      name: 'all',
      principal: { issuer: 'ci', anyone: true },
      database: 'orders',
      users: ['app_ro', 'app_rw'],
    },
  ]
  await configure({
    databases: { orders: { ...orders, limits: { newTokensPerSecond: 0.2 } }, ledger },
    grants,
  })
  await startFunction()
  const first = () => requestToken({ body: '{"database":"orders","user":"app_ro"}' })
  // If STS is slow, the first slot is missed, and the next is too far away as well.
  await expect.poll(async () => (await first()).statusCode, { timeout: 25_000, interval: 500 }).toBe(200)
  const { statusCode, json, headers } = await requestToken({ body: '{"database":"orders","user":"app_rw"}' })
  expect([statusCode, json.code]).toEqual([429, 'throttled'])
  expect(Number(headers?.['retry-after'])).toBeGreaterThan(0)
  expect(await newestRecord(records().length)).toMatchObject({
    requestId: json.requestId,
    decision: 'refused',
    code: 'throttled',
  })
})

test('a renewal in the background finishes before the function freezes', async () => {
  await configure()
  await startFunction()
  // The session is so short that the token is due for renewal at once.
  environment().sts.faults.lifetimeMs = 5.5 * 60_000
  const { json: first } = await requestToken()
  environment().sts.faults.delayMs = 300
  environment().sts.faults.lifetimeMs = undefined
  expect((await requestToken()).json).toMatchObject({ token: first.token, cached: true })
  expect(environment().sts.calls.map(({ outcome }) => outcome)).toEqual(['issued', 'issued'])
  // The session requested then is here, so AWS is not asked again.
  environment().sts.faults.failing = true
  const renewed = await requestToken()
  expect(renewed.json).toMatchObject({ cached: false })
  expect(renewed.json.token).not.toBe(first.token)
  expect(environment().sts.calls).toHaveLength(2)
})

test('a store in memory and an audit log in a file are warned of', async () => {
  await configure({ audit: [{ type: 'file', path: join(deployed().folder, 'audit.jsonl') }] })
  await startFunction()
  expect((await requestToken()).statusCode).toBe(200)
  await expectLogged('store_not_shared')
  await expectLogged('audit_not_durable')
})

test('the bundle alone can use a store, key and audit log in AWS, and has written the record before it freezes', async () => {
  const [dynamodb, kms] = await Promise.all([startDynamodb(), startKms()])
  closeAfterwards(dynamodb, kms)
  const store = { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: kms.addKey() } }
  await configure({ store, audit: [{ type: 'dynamodb', table: 'jeton-audit' }] })
  const env = { ...dynamodb.environment(), ...kms.environment() }
  await startFunction(env)
  const { json } = await requestToken()
  expect(json).toMatchObject({ cached: false })
  expect(lambda().isFrozen()).toBe(true)
  // The token is in the store, and its record in the audit log.
  expect((await dynamodb.items('jeton')).some(({ pk }) => String(pk).startsWith('token/'))).toBe(true)
  expect(JSON.stringify(await dynamodb.items('jeton-audit'))).toContain(String(json.auditId))
  dynamodb.faults.delayMs = 200
  const refused = await requestToken({ authorization: 'Bearer x' })
  expect(JSON.stringify(await dynamodb.items('jeton-audit'))).toContain(String(refused.json.requestId))
  dynamodb.faults.delayMs = 0
  await startFunction(env)
  expect((await requestToken()).json).toMatchObject({ cached: true, token: json.token })
  expect(lambda().stderr.join('\n')).not.toContain('store_not_shared')
})
