import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import type { HttpReply } from '../../src/lambda/reply.ts'
import { startDynamodb } from '../support/aws/dynamodb.ts'
import { startKms } from '../support/aws/kms.ts'
import { type S3, startS3 } from '../support/aws/s3.ts'
import { findProgram } from '../support/databases/programs.ts'
import {
  type Asking,
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  functionUrlEvent,
  type ToEvent,
} from '../support/lambda/events/events.ts'
import { deploy, type Lambda, type Package, startLambda } from '../support/lambda/runtime.ts'
import { run } from '../support/run.ts'
import { type Stage, setStage } from '../support/service/scenario.ts'

/** The built function as it is deployed, in a process that Lambda's Runtime API drives and freezes. */
const CLAIMS = { repository: 'acme/orders', ref: 'refs/heads/main' }
const FORGED = { 'x-forwarded-for': '198.51.100.66', 'x-request-id': 'chosen' }

let stage: Stage
let deployed: Package
let lambda: Lambda
/** What else is to be closed. */
let others: { close(): Promise<void> }[]

beforeEach(async () => {
  stage = await setStage()
  deployed = await deploy()
  others = []
})
afterEach(async () => {
  await lambda?.close()
  await Promise.all([stage.close(), deployed.remove(), ...others.map(other => other.close())])
})

const inStdout = { audit: [{ type: 'stdout' }] }
const configure = (over: object = {}) =>
  deployed.put('jeton.yaml', JSON.stringify(stage.config({ ...inStdout, ...over })))

async function start(env: Record<string, string> = {}): Promise<void> {
  lambda = await startLambda(deployed, { env: { ...stage.env, ...env } })
}

const bearer = async (claims: object = {}) => `Bearer ${await stage.issuer.sign({ ...CLAIMS, ...claims })}`

interface Answer extends HttpReply {
  /** The body, where it is JSON. */
  json: Record<string, unknown>
}

async function invoke(toEvent: ToEvent, asking: Asking): Promise<Answer> {
  const reply = await lambda.invoke(toEvent(asking))
  return { ...reply, json: reply.body.startsWith('{') ? JSON.parse(reply.body) : {} }
}

/** Asks for a token of `orders`, by API Gateway unless said otherwise. */
async function ask(
  asking: Partial<Asking> & { authorization?: string; toEvent?: ToEvent } = {},
): Promise<Answer> {
  const { authorization, toEvent = apiGatewayEvent, headers, ...rest } = asking
  const credential = authorization ?? (await bearer())
  return invoke(toEvent, {
    body: '{"database":"orders"}',
    headers: { authorization: credential, ...headers },
    ...rest,
  })
}

const recorded = () => lambda.stdout.map(line => JSON.parse(line) as AuditRecord)

/** The newest record, read while the function stands still: whatever it has not written by now it cannot write. */
async function newestRecord(count: number): Promise<AuditRecord> {
  expect(lambda.isFrozen()).toBe(true)
  await expect.poll(() => lambda.stdout.length).toBe(count)
  return recorded().at(-1) as AuditRecord
}

const logged = (text: string) => expect.poll(() => lambda.stderr.join('\n')).toContain(text)

describe.each(EVENTS)('behind %s', (_name, toEvent) => {
  test('a token is vended, with who asked in its record; the next caller gets the same one', async () => {
    await configure()
    await start()
    const reply = await ask({
      toEvent,
      headers: { ...FORGED, 'x-forwarded-for': '198.51.100.66, 203.0.113.7' },
    })
    expect([reply.statusCode, reply.isBase64Encoded]).toEqual([200, false])
    expect(reply.json).toMatchObject({ database: 'orders', user: 'migrator', cached: false })
    const record = await newestRecord(1)
    expect(record).toMatchObject({
      decision: 'vended',
      id: reply.json.auditId,
      fingerprint: reply.json.fingerprint,
      sourceIp: '203.0.113.7',
      userAgent: 'jeton/0.1.0',
      instance: 'jeton/2026/11/23/[$LATEST]0123456789abcdef',
      principal: { claims: CLAIMS },
    })
    expect(record.requestId).toBe(reply.headers?.['x-request-id'])
    expect([record.requestId, record.id]).not.toContain('chosen')
    expect(JSON.stringify(toEvent({}))).toContain(record.requestId)

    const again = await ask({ toEvent, isBase64Encoded: true })
    expect(again.json).toMatchObject({ cached: true, token: reply.json.token })
    expect((await newestRecord(2)).id).not.toBe(record.id)
    expect(stage.sts.calls).toHaveLength(1)
  })

  test('refusals have their codes, and their records before it freezes', async () => {
    await configure()
    await start()
    const refusals = [
      await ask({ toEvent, authorization: 'Bearer x' }),
      await ask({ toEvent, authorization: await bearer({ repository: 'else/where' }) }),
      await ask({ toEvent, body: '{"database":7}' }),
      await ask({ toEvent, body: 'x'.repeat(20_000) }),
      await ask({ toEvent, headers: { 'content-type': 'text/plain' } }),
    ]
    expect(refusals.map(({ statusCode, json }) => [statusCode, json.code])).toEqual([
      [401, 'unauthenticated'],
      [403, 'access_denied'],
      [400, 'invalid_request'],
      [413, 'payload_too_large'],
      [415, 'unsupported_media_type'],
    ])
    await newestRecord(5)
    expect(recorded().map(({ code, requestId }) => [code, requestId])).toEqual(
      refusals.map(({ json }) => [json.code, json.requestId]),
    )
    const nowhere = await ask({ toEvent, path: '/v1/nothing' })
    expect([nowhere.statusCode, nowhere.json.code]).toEqual([404, 'not_found'])
  })

  test('texts come as they are: certificates, the description', async () => {
    await configure()
    await start()
    const pem = await invoke(toEvent, { method: 'GET', path: '/v1/ca/us-east-1.pem' })
    expect(pem.body).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
    expect(pem.headers?.['content-type']).toBe('application/pem-certificate-chain')
    const headers = { 'if-none-match': pem.headers?.etag ?? '' }
    const known = await invoke(toEvent, { method: 'GET', path: '/v1/ca/us-east-1.pem', headers })
    expect(known).toMatchObject({ statusCode: 304, body: '' })
    const described = await invoke(toEvent, { method: 'GET', path: '/openapi.json' })
    expect(Object.keys(described.json.paths as object)).toContain('/v1/tokens')
  })
})

test('headers go back as lists where they came as lists', async () => {
  await configure()
  await start()
  const asking = { method: 'GET', path: '/healthz' }
  const listed = await invoke(albMultiValueEvent, asking)
  expect(listed.multiValueHeaders?.['cache-control']).toEqual(['no-store'])
  for (const toEvent of [albEvent, apiGatewayEvent, functionUrlEvent])
    expect(await invoke(toEvent, asking)).not.toHaveProperty('multiValueHeaders')
})

test('a turn that is further off than a second is not waited for', async () => {
  const config = stage.config() as { databases: { orders: object; ledger: object } }
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
    databases: { orders: { ...orders, limits: { newTokensPerSecond: 0.4 } }, ledger },
    grants,
  })
  await start()
  const first = () => ask({ body: '{"database":"orders","user":"app_ro"}' })
  // where STS is slow the first turn goes by, and the next is too far off as well
  await expect.poll(async () => (await first()).statusCode, { timeout: 15_000, interval: 500 }).toBe(200)
  const { statusCode, json, headers } = await ask({ body: '{"database":"orders","user":"app_rw"}' })
  expect([statusCode, json.code]).toEqual([429, 'throttled'])
  expect(Number(headers?.['retry-after'])).toBeGreaterThan(0)
  expect(await newestRecord(lambda.stdout.length)).toMatchObject({
    requestId: json.requestId,
    decision: 'refused',
    code: 'throttled',
  })
})

test('what a renewal has begun is finished before it freezes', async () => {
  await configure()
  await start()
  // a session so short that the token is to be renewed at once
  stage.sts.faults.lifetimeMs = 5.5 * 60_000
  const { json: first } = await ask()
  stage.sts.faults.delayMs = 300
  stage.sts.faults.lifetimeMs = undefined
  expect((await ask()).json).toMatchObject({ token: first.token, cached: true })
  expect(stage.sts.calls.map(({ outcome }) => outcome)).toEqual(['issued', 'issued'])
  // the session that was asked for then has arrived: AWS is not asked again
  stage.sts.faults.failing = true
  const renewed = await ask()
  expect(renewed.json).toMatchObject({ cached: false })
  expect(renewed.json.token).not.toBe(first.token)
  expect(stage.sts.calls).toHaveLength(2)
})

test('a store in memory is warned of, and an audit log that it loses', async () => {
  await configure({ audit: [{ type: 'file', path: join(deployed.folder, 'audit.jsonl') }] })
  await start()
  expect((await ask()).statusCode).toBe(200)
  await logged('store_not_shared')
  await logged('audit_not_durable')
})

test('store, key and audit log in AWS are used with what is in the bundle, and the records are there before it freezes', async () => {
  const [dynamodb, kms] = await Promise.all([startDynamodb(), startKms()])
  others.push(dynamodb, kms)
  const store = { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: kms.addKey() } }
  await configure({ store, audit: [{ type: 'dynamodb', table: 'jeton-audit' }] })
  lambda = await startLambda(deployed, {
    env: { ...dynamodb.environment(), ...kms.environment(), ...stage.env },
  })
  const { json } = await ask()
  expect(json).toMatchObject({ cached: false })
  expect(lambda.isFrozen()).toBe(true)
  // the token is on the store, and its record in the log
  expect((await dynamodb.items('jeton')).some(({ pk }) => String(pk).startsWith('token/'))).toBe(true)
  expect(JSON.stringify(await dynamodb.items('jeton-audit'))).toContain(String(json.auditId))
  dynamodb.faults.delayMs = 200
  const refused = await ask({ authorization: 'Bearer x' })
  expect(JSON.stringify(await dynamodb.items('jeton-audit'))).toContain(String(refused.json.requestId))
  dynamodb.faults.delayMs = 0
  await lambda.close()
  lambda = await startLambda(deployed, {
    env: { ...dynamodb.environment(), ...kms.environment(), ...stage.env },
  })
  expect((await ask()).json).toMatchObject({ cached: true, token: json.token })
  expect(lambda.stderr.join('\n')).not.toContain('store_not_shared')
})

test('a start that fails is told, answered as such, and tried again', async () => {
  await start()
  const { statusCode, json, headers } = await ask()
  expect([statusCode, json.code, headers?.['retry-after']]).toEqual([503, 'temporarily_unavailable', '5'])
  await logged('cannot be read (ENOENT)')
  await configure()
  expect((await ask()).statusCode).toBe(200)
})

test('a configuration in YAML is read too, and a broken one explained', async () => {
  await deployed.put('jeton.yaml', 'databases: {}\ngrants: 7\n')
  await start()
  expect((await ask()).statusCode).toBe(503)
  await logged('{"path":"grants","message":"must be a list, as in [a, b]"}')
})

describe('a changed configuration', () => {
  /** A clock that goes on by itself and can be put forward: of the machine's time, not of its timers. */
  async function movableClock() {
    const file = join(stage.folder, 'clock')
    const { stdout } = await run(await findProgram('faketime'), ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD'])
    const put = (seconds: number) => writeFile(file, `+${seconds}s\n`)
    let seconds = 0
    await put(seconds)
    return {
      env: {
        LD_PRELOAD: stdout.trim(),
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
      advance() {
        seconds += 61
        return put(seconds)
      },
    }
  }

  /** Its grants taken away, broken, and put right again: told from what a caller gets. */
  async function story(write: (text: string) => Promise<void>, advance: () => Promise<void>) {
    const status = async () => (await ask()).statusCode
    expect(await status()).toBe(200)
    await write(JSON.stringify(stage.config({ ...inStdout, grants: [] })))
    expect(await status()).toBe(200)
    await advance()
    expect(await status()).toBe(403)
    await write('grants: 7')
    await advance()
    expect(await status()).toBe(403)
    await logged('configuration_broken')
    await write(JSON.stringify(stage.config(inStdout)))
    await advance()
    expect(await status()).toBe(200)
  }

  test('in the package takes effect within a minute; a broken one does not', async () => {
    await configure()
    const clock = await movableClock()
    await start(clock.env)
    let version = 1
    await story(async text => {
      await deployed.put('jeton.yaml', text)
      await utimes(join(deployed.folder, 'jeton.yaml'), ++version, version)
    }, clock.advance)
  })

  test('in S3 takes effect within a minute; a broken one does not, nor one that is away', async () => {
    const s3: S3 = await startS3()
    others.push(s3)
    const keys = { ci: { issuer: stage.issuer.url, audience: 'jeton', jwksFile: 'keys.json' } }
    s3.put('conf/prod/jeton.yaml', JSON.stringify(stage.config({ ...inStdout, issuers: keys })))
    s3.put('conf/prod/keys.json', JSON.stringify(stage.issuer.jwks()))
    const clock = await movableClock()
    await start({ ...clock.env, ...s3.environment(), JETON_CONFIG: 's3://conf/prod/jeton.yaml' })
    await story(async text => s3.put('conf/prod/jeton.yaml', text), clock.advance)
    s3.remove('conf/prod/jeton.yaml')
    await clock.advance()
    expect((await ask()).statusCode).toBe(200)
    s3.faults.gone = true
    await clock.advance()
    expect((await ask()).statusCode).toBe(200)
    await logged('configuration_unreadable')
  })
})

test('nothing of a caller’s credential is in any log', async () => {
  await configure()
  await start()
  const authorization = await bearer()
  const { json } = await ask({ authorization })
  await ask({ authorization: `${authorization}x` })
  await newestRecord(2)
  const written = [...lambda.stdout, ...lambda.stderr].join('\n')
  const [, jwt = ''] = authorization.split(' ')
  for (const secret of [
    jwt,
    jwt.split('.')[2] ?? '',
    String(json.token),
    stage.sts.credentials.secretAccessKey,
  ])
    expect(written).not.toContain(secret)
})
