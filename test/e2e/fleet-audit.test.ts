import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { tablesOfTemplate } from '../support/aws/dynamodb-tables.ts'
import {
  type Answer,
  degraded,
  FLEET_START_MS,
  type Fleet,
  startFleet,
  USERS,
} from '../support/service/fleet.ts'
import { type Jeton, runCli } from '../support/service/jeton.ts'

/** Real server processes whose records go to a table. */
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
  const [a, b] = await fleet.joinAll(2)
  if (a && b) [one, two] = [a, b]
}, FLEET_START_MS)
afterAll(() => fleet?.close())
afterEach(() => {
  Object.assign(fleet.dynamodb.faults, { fail: false, delayMs: 0 })
})

async function recorded(table = AUDIT_TABLE): Promise<AuditRecord[]> {
  return (await fleet.dynamodb.items(table)).map(({ record }) => JSON.parse(String(record)) as AuditRecord)
}

const statusOf = async (instance: Jeton, database: string) => (await fleet.ask(instance, database)).status

function expectNoToken({ status, body }: Answer): void {
  expect([status, body.code, body.token]).toEqual([503, 'temporarily_unavailable', undefined])
}

test('each vend has its record in the table before its reply, once', async () => {
  expect([await statusOf(one, 'orders'), await statusOf(two, 'orders')]).toEqual([200, 200])
  // a reply that did not wait for it would be here long before it
  fleet.dynamodb.faults.delayMs = 200
  const vends = Array.from({ length: 20 }, async (_, i) => {
    const { body } = await fleet.ask(i % 2 ? one : two, 'orders', { subject: `vend-${i}` })
    const { auditId, fingerprint } = body
    return (await recorded()).filter(record => record.id === auditId && record.fingerprint === fingerprint)
  })
  expect((await Promise.all(vends)).map(records => records.length)).toEqual(Array(20).fill(1))
  expect(new Set((await recorded()).map(({ id }) => id)).size).toBe(22)
})

test('a vend from the first-level cache makes no call but that of its record', async () => {
  await fleet.ask(one, 'orders')
  await fleet.ask(two, 'orders')
  const before = fleet.dynamodb.calls.length
  for (let i = 0; i < 5; i++) expect((await fleet.ask(two, 'orders')).body.cached).toBe(true)
  const made = fleet.dynamodb.calls.slice(before).map(({ operation, table }) => `${operation} ${table}`)
  expect(made).toEqual(Array(5).fill(`BatchWriteItem ${AUDIT_TABLE}`))
})

test('while the table fails nobody gets a token, cached or not; when it answers again, all do', async () => {
  expect(await statusOf(one, 'failing')).toBe(200)
  fleet.dynamodb.faults.fail = true
  const cached = await fleet.ask(one, 'failing', { user: WARM })
  expectNoToken(cached)
  expect(cached.body.detail).toBe('the audit log cannot be written')
  expect(cached.headers.get('retry-after')).toMatch(/^\d+$/)
  expectNoToken(await fleet.ask(one, 'failing', { user: COLD }))
  expect(await degraded(one)).toContain('log')

  fleet.dynamodb.faults.fail = false
  await expect.poll(() => statusOf(one, 'failing'), RECOVERY).toBe(200)
  expect(await degraded(one)).not.toContain('log')
  const requestId = String(cached.body.requestId)
  const aboutIt = async () => (await recorded()).filter(record => record.requestId === requestId)
  await expect
    .poll(aboutIt, RECOVERY)
    .toContainEqual(expect.objectContaining({ decision: 'failed', code: 'temporarily_unavailable' }))
})

test('a token that is new is kept back too, where its record cannot be written', async () => {
  const three = await fleet.join({ config: { audit: [{ type: 'dynamodb', table: LATE_TABLE }] } })
  expectNoToken(await fleet.ask(three, 'late'))
  expect(await three.logged('audit_failing')).toContain('ResourceNotFoundException')

  const template = (await tablesOfTemplate()).find(({ TableName }) => TableName === AUDIT_TABLE)
  if (!template) throw new Error('the template has no table for records')
  const client = new DynamoDBClient({
    endpoint: fleet.dynamodb.url,
    region: 'us-east-1',
    credentials: fleet.stage.sts.credentials,
  })
  await client.send(new CreateTableCommand({ ...template, TableName: LATE_TABLE }))
  client.destroy()
  await expect.poll(() => statusOf(three, 'late'), RECOVERY).toBe(200)
  expect((await recorded(LATE_TABLE)).map(({ decision }) => decision)).toContain('vended')
})

test('jeton audit query finds the records of one principal', async () => {
  const { body } = await fleet.ask(one, 'orders', { subject: 'repo:acme/orders' })
  const args = ['audit', 'query', '--config', one.configFile, '--principal', 'ci/repo:acme/orders']
  const env = { ...fleet.stage.env, ...fleet.dynamodb.environment() }
  const { code, stdout } = await runCli(args, { env })
  expect(code).toBe(0)
  const found = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as AuditRecord)
  expect(found.map(({ id }) => id)).toEqual([body.auditId])
})
