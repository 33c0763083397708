import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readConfigured } from '../../infra/configured.ts'
import { readTemplate, resolveWith } from './cloudformation.ts'
import { CONFIG, STACK } from './example-stack.ts'
import { type ApiCall, allowedBy, allows, listOf, type Statement } from './iam.ts'
import { countedBy, sums } from './metrics.ts'
import { type Run, startRun } from './run.ts'

/** The lifetime of role sessions so short that a new token is due for renewal at once. */
const SHORT_SESSION_MS = 6 * 60_000
const NO_ROLE = 'arn:aws:iam::123456789012:role/jeton-new'
/** For what is written in the background, on a busy machine. */
const EVENTUALLY = { timeout: 20_000 }

let run: Run
let role: readonly Statement[]
let keyPolicy: readonly Statement[]
let calls: readonly ApiCall[]

const migrator = { database: 'orders', user: 'migrator' }
const ledger = { database: 'ledger', user: 'app_rw' }

beforeAll(async () => {
  run = await startRun({ store: CONFIG.store, audit: CONFIG.audit })
  await serveAll()
  calls = run.calls()

  const { permissions } = await readConfigured({
    folder: run.folder,
    config: 'jeton.json',
    configInS3: '',
    basePath: '',
  })
  const plain = resolveWith({ values: { ...STACK, 'Key.Arn': run.kms.aliases.get('alias/jeton') } })
  role = (plain(permissions) as { Statement: Statement[] }).Statement
  const { KeyPolicy } = (await readTemplate('key.yml')).Resources.Key?.Properties ?? {}
  const variable = /\$\{self:custom\.configured\.storeTable[^}]*\}/g
  const withTable = JSON.stringify(KeyPolicy).replace(variable, CONFIG.store.table)
  keyPolicy = (plain(JSON.parse(withTable)) as { Statement: Statement[] }).Statement
})
afterAll(() => run?.close())

/** Causes every kind of vend: minted, cached, rejected by the database, renewed, read by a second instance; and refusals. */
async function serveAll(): Promise<void> {
  const { environment, dynamodb, bearer } = run
  const first = await run.start()
  const minted = await first.requestToken(await bearer(), migrator)
  expect(minted.body).toMatchObject({ cached: false })
  const cached = await first.requestToken(await bearer(), migrator)
  expect(cached.body).toMatchObject({ cached: true, fingerprint: minted.body.fingerprint })
  const second = await run.start()
  expect((await second.requestToken(await bearer(), migrator)).body.fingerprint).toBe(minted.body.fingerprint)

  environment.sts.faults.lifetimeMs = SHORT_SESSION_MS
  const short = await first.requestToken(await bearer(), ledger)
  expect(short.body).toMatchObject({ cached: false })
  environment.sts.faults.lifetimeMs = undefined
  const tooSoon = await first.requestToken(await bearer(), { ...ledger, refused: short.body.fingerprint })
  expect(tooSoon.body).toMatchObject({ code: 'throttled' })
  await vi.waitFor(async () => {
    const renewed = await first.requestToken(await bearer(), ledger)
    expect(renewed.body.fingerprint).not.toBe(short.body.fingerprint)
  }, EVENTUALLY)

  expect((await first.requestToken(await bearer(), { database: 'payroll', user: 'root' })).status).toBe(403)
  expect((await first.requestToken('Bearer nonsense', migrator)).status).toBe(401)
  await vi.waitFor(async () => {
    const records = (await dynamodb.items('jeton-audit')).map(({ record }) => JSON.parse(String(record)))
    const codes = records.map(({ code }) => code)
    expect(codes).toEqual(expect.arrayContaining(['throttled', 'access_denied', 'unauthenticated']))
  }, EVENTUALLY)
}

const describeCall = ({ action, resource }: ApiCall) => `${action} ${resource}`

describe('the role', () => {
  test('allows every call that was made', () => {
    expect(calls.length).toBeGreaterThan(10)
    expect(calls.filter(call => !allows(role, call)).map(describeCall)).toEqual([])
  })

  test('allows no call that was not made', () => {
    const allowed = role.flatMap(statement =>
      listOf(statement.Action).flatMap(action =>
        listOf(statement.Resource).map(resource => ({ statement, action, resource })),
      ),
    )
    const idle = allowed.filter(
      ({ statement, action, resource }) =>
        !calls.some(
          call => call.action === action && call.resource === resource && allowedBy(statement, call),
        ),
    )
    expect(idle.map(({ action, resource }) => `${action} ${resource}`)).toEqual([])
  })

  const table = (name: string) => `arn:aws:dynamodb:us-east-1:123456789012:table/${name}`
  test.each([
    ['another role', { action: 'sts:AssumeRole', resource: 'arn:aws:iam::123456789012:role/admin' }],
    ['deleting a record', { action: 'dynamodb:DeleteItem', resource: table('jeton-audit') }],
    ['deleting many records', { action: 'dynamodb:BatchWriteItem', resource: table('jeton-audit') }],
    ['changing a record', { action: 'dynamodb:UpdateItem', resource: table('jeton-audit') }],
    ['reading the audit log', { action: 'dynamodb:GetItem', resource: table('jeton-audit') }],
    ['reading all of the store', { action: 'dynamodb:Scan', resource: table('jeton') }],
    ['another table', { action: 'dynamodb:GetItem', resource: table('payroll') }],
    ['logging in to a database', { action: 'rds-db:connect', resource: 'arn:aws:rds-db:…' }],
  ])('does not allow %s', (_, call) => {
    expect(allows(role, { ...call, context: {} })).toBe(false)
  })
})

describe('the key', () => {
  const dataKeys = () => keyPolicy.filter(({ Sid = '' }) => Sid.endsWith('DataKeys'))
  const made = () => calls.filter(({ action }) => action.startsWith('kms:'))

  test('serves the role in every call that was made', () => {
    expect(new Set(made().map(({ action }) => action))).toEqual(
      new Set(['kms:GenerateDataKey', 'kms:Decrypt']),
    )
    expect(made().filter(call => !allows(dataKeys(), call))).toEqual([])
  })

  test.each([
    ['for another table', { 'kms:EncryptionContext:table': 'payroll' }],
    ['for another service', { 'kms:EncryptionContext:service': 'backup' }],
    ['for no data key', { 'kms:EncryptionContext:key': 'token/1' }],
    ['for more than that', { 'kms:EncryptionContextKeys': ['service', 'table', 'key', 'user'] }],
    ['by another alias', { 'kms:RequestAlias': 'alias/payroll' }],
  ])('decrypts nothing for the role that was encrypted %s', (_, context) => {
    for (const call of made())
      expect(allows(role, { ...call, context: { ...call.context, ...context } })).toBe(false)
  })

  test('decrypts what was bound to no record, and generates no such key', () => {
    const unbound = made().map(({ action, resource, context }) => {
      const { 'kms:EncryptionContext:key': _, ...rest } = context
      return { action, resource, context: { ...rest, 'kms:EncryptionContextKeys': ['service', 'table'] } }
    })
    for (const statements of [role, dataKeys()])
      for (const call of unbound) expect(allows(statements, call)).toBe(call.action === 'kms:Decrypt')
  })

  test('decrypts nothing without its context, nor for DynamoDB of another account', () => {
    const [call] = made()
    const bare = { ...call!, context: {} }
    expect(allows(dataKeys(), bare)).toBe(false)
    const tables = keyPolicy.filter(({ Sid }) => Sid === 'Tables')
    const via = { 'kms:ViaService': 'dynamodb.us-east-1.amazonaws.com', 'kms:CallerAccount': '123456789012' }
    expect(allows(tables, { ...bare, context: via })).toBe(true)
    expect(allows(tables, { ...bare, context: { ...via, 'kms:CallerAccount': '666666666666' } })).toBe(false)
    expect(allows(tables, bare)).toBe(false)
  })
})

test('the metrics count what a run logs: vends and refusals, and everything that fails', async () => {
  const { environment, dynamodb, kms, bearer } = run
  const first = run.instances[0] ?? expect.fail('no instance is running')
  const counted = countedBy(await readTemplate('metrics.yml'))
  const counts = () => sums(counted, run.lines())
  await vi.waitFor(() => {
    expect(counts()).toEqual({
      Vended: expect.any(Number),
      'NewTokens/orders': 1,
      'NewTokens/ledger': 2,
      Refused: 3,
      'ByCode/throttled': 1,
      'ThrottledTurns/ledger': 1,
      'ByCode/access_denied': 1,
      'ByCode/unauthenticated': 1,
    })
  }, EVENTUALLY)

  environment.sts.faults.deniedRoles.add(NO_ROLE)
  const config = run.config
  const { orders, ledger: before } = config.databases
  await first.configure({ ...config, databases: { orders, ledger: { ...before, roleArn: NO_ROLE } } })
  first.process.kill('SIGHUP')
  await first.logged('configuration_reloaded')
  expect((await first.requestToken(await bearer(), ledger)).status).toBe(502)

  await first.configure({ ...config, databases: {} })
  first.process.kill('SIGHUP')
  await vi.waitFor(() => expect(counts().BrokenConfigurations).toBe(1), EVENTUALLY)

  kms.faults.denied = true
  const third = await run.start()
  expect((await third.requestToken(await bearer(), migrator)).status).toBe(503)
  kms.faults.denied = false
  dynamodb.faults.gone = true
  expect((await third.requestToken(await bearer(), ledger)).status).toBe(503)
  expect((await first.requestToken(await bearer(), migrator)).status).toBe(503)
  dynamodb.faults.gone = false

  const failing = [
    'StsFailures',
    'ByCode/role_refused',
    'KmsFailures',
    'UnreadableRecords',
    'StoreFailures',
    'AuditFailures',
    'Failed',
  ]
  await vi.waitFor(() => expect(Object.keys(counts())).toEqual(expect.arrayContaining(failing)), EVENTUALLY)
})
