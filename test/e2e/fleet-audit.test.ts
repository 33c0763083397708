import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { tablesOfTemplate } from '../support/aws/dynamodb-tables.ts'
import { type Answer, FLEET_START_MS, type Fleet, startFleet, USERS } from '../support/service/fleet.ts'
import { readDegraded } from '../support/service/fleet-observations.ts'
import { type Jeton, runCli } from '../support/service/jeton.ts'

/** Server processes whose audit records go to a DynamoDB table. */
const AUDIT_TABLE = 'jeton-audit'
const LATE_TABLE = 'jeton-audit-late'
const [WARM, COLD] = USERS
const RECOVERY = { timeout: 30_000, interval: 100 }

let fleet: Fleet
let one: Jeton
let two: Jeton

beforeAll(async () => {
  fleet = await startFleet({
    databases: { orders: {}, failing: {}, late: {} },
    config: { audit: [{ type: 'dynamodb', table: AUDIT_TABLE }] },
  })
  const [a, b] = await fleet.startInstances(2)
  if (a && b) [one, two] = [a, b]
}, FLEET_START_MS)
afterAll(() => fleet?.close())
afterEach(() => {
  Object.assign(fleet.dynamodb.faults, { fail: false, delayMs: 0 })
})

/** The records of requests. */
async function readRecords(table = AUDIT_TABLE): Promise<AuditRecord[]> {
  return (await readAllRecords(table)).filter(({ type }) => type === 'jeton.audit')
}

async function readAllRecords(table = AUDIT_TABLE): Promise<(AuditRecord & { type: string })[]> {
  return (await fleet.dynamodb.items(table)).map(({ record }) => JSON.parse(String(record)))
}

test('the start of each server has a record', async () => {
  const started = (await readAllRecords()).filter(({ type }) => type === 'jeton.audit.started')
  expect(new Set(started.map(({ instance }) => instance)).size).toBe(2)
})

const statusOf = async (instance: Jeton, database: string) =>
  (await fleet.requestToken(instance, database)).status

function expectNoToken({ status, body }: Answer): void {
  expect([status, body.code, body.token]).toEqual([503, 'temporarily_unavailable', undefined])
}

test('a vend has exactly one record in the table before its reply', async () => {
  expect([await statusOf(one, 'orders'), await statusOf(two, 'orders')]).toEqual([200, 200])
  // A reply that does not wait for its record would arrive long before it.
  fleet.dynamodb.faults.delayMs = 200
  const vends = Array.from({ length: 20 }, async (_, i) => {
    const { body } = await fleet.requestToken(i % 2 ? one : two, 'orders', { subject: `vend-${i}` })
    const { auditId, fingerprint } = body
    return (await readRecords()).filter(record => record.id === auditId && record.fingerprint === fingerprint)
  })
  expect((await Promise.all(vends)).map(records => records.length)).toEqual(Array(20).fill(1))
  expect(new Set((await readRecords()).map(({ id }) => id)).size).toBe(22)
})

test('a vend of a cached token makes no call but that for its record', async () => {
  await fleet.requestToken(one, 'orders')
  await fleet.requestToken(two, 'orders')
  const before = fleet.dynamodb.calls.length
  for (let i = 0; i < 5; i++) expect((await fleet.requestToken(two, 'orders')).body.cached).toBe(true)
  const made = fleet.dynamodb.calls.slice(before).map(({ operation, table }) => `${operation} ${table}`)
  expect(made).toEqual(Array(5).fill(`PutItem ${AUDIT_TABLE}`))
})

test('a failing table stops all vends, cached or not, until it works again', async () => {
  expect(await statusOf(one, 'failing')).toBe(200)
  fleet.dynamodb.faults.fail = true
  const cached = await fleet.requestToken(one, 'failing', { user: WARM })
  expectNoToken(cached)
  expect(cached.headers.get('retry-after')).toMatch(/^\d+$/)
  expectNoToken(await fleet.requestToken(one, 'failing', { user: COLD }))
  expect(await readDegraded(one)).toContain('log')

  fleet.dynamodb.faults.fail = false
  await expect.poll(() => statusOf(one, 'failing'), RECOVERY).toBe(200)
  expect(await readDegraded(one)).not.toContain('log')
  const requestId = String(cached.body.requestId)
  const recordsOfRequest = async () => (await readRecords()).filter(record => record.requestId === requestId)
  await expect
    .poll(recordsOfRequest, RECOVERY)
    .toContainEqual(expect.objectContaining({ decision: 'failed', code: 'temporarily_unavailable' }))
})

test('a new token is not delivered if its record cannot be written', async () => {
  const three = await fleet.startInstance({ config: { audit: [{ type: 'dynamodb', table: LATE_TABLE }] } })
  expectNoToken(await fleet.requestToken(three, 'late'))
  expect(await three.logged('audit_failing')).toContain('ResourceNotFoundException')

  const template = (await tablesOfTemplate()).find(({ TableName }) => TableName === AUDIT_TABLE)
  if (!template) throw new Error(`infra/tables.yml has no table ${AUDIT_TABLE}`)
  const client = new DynamoDBClient({
    endpoint: fleet.dynamodb.url,
    region: 'us-east-1',
    credentials: fleet.environment.sts.credentials,
  })
  await client.send(new CreateTableCommand({ ...template, TableName: LATE_TABLE }))
  client.destroy()
  await expect.poll(() => statusOf(three, 'late'), RECOVERY).toBe(200)
  expect((await readRecords(LATE_TABLE)).map(({ decision }) => decision)).toContain('vended')
})

test('jeton audit query finds the records of one principal', async () => {
  const { body } = await fleet.requestToken(one, 'orders', { subject: 'repo:acme/orders' })
  const args = ['audit', 'query', '--config', one.configFile, '--principal', 'ci/repo:acme/orders']
  const env = { ...fleet.environment.serverEnv, ...fleet.dynamodb.environment() }
  const { code, stdout } = await runCli(args, { env })
  expect(code).toBe(0)
  const records = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as AuditRecord)
  expect(records.map(({ id }) => id)).toEqual([body.auditId])
})
