import { readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describe, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'
import { createBackgroundTasks } from '../../../src/lib/background-tasks.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import { hangCredentialSearch, stubEnvironment } from '../../support/aws/stub-environment.ts'
import { holdDeadlines } from '../../support/clock/held-deadlines.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'
import { DATABASES, type LiveOutcome, publicKey, useLiveStandIns } from './support.ts'

const { goLive, standIns } = useLiveStandIns()

const ORDERS_ROLE = 'role arn:aws:iam::123456789012:role/jeton-orders'
const STOCK_ROLE = 'role arn:aws:iam::123456789012:role/jeton-stock'
const MINUTE_MS = 60_000

/** What failed, in the order of the table. */
function failuresOf({ results }: LiveOutcome): string[] {
  return Object.keys(results).filter(what => results[what] === 'failed')
}

/** The table as it is for everybody: without ports, folders and request ids. */
function comparable({ stdout }: LiveOutcome): string {
  const { folder, issuer } = standIns()
  const texts = stdout
    .replaceAll(folder, 'FOLDER')
    .replaceAll(issuer.url, 'http://ISSUER')
    .replace(/127\.0\.0\.1:\d+/g, 'ISSUER')
    .replace(/request [\w-]+/g, 'request …')
    .split('\n')
    .map(line => line.split(/ {2,}/))
  const width = Math.max(...texts.map(([what = '', result]) => (result ? what.length : 0)))
  return texts
    .map(([what = '', result = '', detail]) =>
      detail === undefined ? what : `${what.padEnd(width)}  ${result.padEnd(7)}  ${detail}`,
    )
    .join('\n')
}

describe('jeton check --live', () => {
  test('tries everything, prints a table, and leaves nothing behind', async () => {
    const outcome = await goLive()
    await expect(comparable(outcome)).toMatchFileSnapshot('everything-right.txt')
    expect(outcome.exitCode).toBe(0)
    const { sts, dynamodb, folder } = standIns()
    expect(await dynamodb.items('jeton')).toEqual([])
    expect(await dynamodb.items('jeton-audit')).toEqual([])
    expect((await readdir(folder)).sort()).toEqual(['jeton.json', 'pinned.json'])
    for (const { roleSessionName, policy } of sts.calls) {
      expect(policy).toMatch(/"Action":"rds-db:connect","Resource":"[^"*]+"/)
      expect(outcome.stdout).toContain(roleSessionName)
    }
    expect(outcome.stdout).not.toContain(sts.credentials.secretAccessKey)
  })

  test('assumes each role for each external id, and for principals as they have it', async () => {
    await goLive()
    const calls = standIns().sts.calls.map(call => [call.roleSessionName, call.externalId])
    expect(calls.sort()).toEqual([
      [expect.stringMatching(/^jeton-check=[0-9a-f]{32}$/), undefined],
      ['ledger.app_ro', 'ledger-id'],
      ['orders.migrator', undefined],
    ])
  })

  test('says of all that is wrong what it is and what to do', async () => {
    const { sts, kms, dynamodb, issuer, folder } = standIns()
    sts.faults.deniedRoles.add(DATABASES.stock.roleArn)
    sts.faults.clockShiftMs = 10 * MINUTE_MS
    kms.faults.clockShiftMs = 10 * MINUTE_MS
    dynamodb.faults.dateOffsetMs = 10 * MINUTE_MS
    dynamodb.faults.refuse = 'AccessDeniedException'
    kms.faults.denied = true
    issuer.fault = 'down'
    await writeFile(join(folder, 'audit.jsonl'), 'of another program\n'.repeat(300_000))
    const outcome = await goLive(
      {
        audit: [
          { type: 'file', path: 'audit.jsonl' },
          { type: 'dynamodb', table: 'jeton-audit' },
        ],
      },
      { lookUp: () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })) },
    )
    await expect(comparable(outcome)).toMatchFileSnapshot('everything-wrong.txt')
    expect(outcome.exitCode).toBe(1)
  })
})

describe('jeton check --live fails', () => {
  test('one role of three that AWS refuses', async () => {
    standIns().sts.faults.deniedRoles.add(DATABASES.stock.roleArn)
    const outcome = await goLive()
    expect([outcome.exitCode, failuresOf(outcome)]).toEqual([1, [STOCK_ROLE]])
    expect(outcome.details[STOCK_ROLE]).toMatch(/AccessDenied \(403\).*trust policy/)
  })

  test('a role whose external id is another', async () => {
    standIns().sts.faults.externalIds.set(DATABASES.orders.roleArn, 'ledger-id')
    const outcome = await goLive()
    expect(failuresOf(outcome)).toEqual([`${ORDERS_ROLE} for orders`])
    expect(outcome.details[`${ORDERS_ROLE} for orders`]).toContain('external id')
  })

  test('without credentials, once, and tries what needs none', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    const { exitCode, results, details } = await goLive()
    expect(exitCode).toBe(1)
    expect(details['AWS identity']).toMatch(/no credentials.*CredentialsProviderError.*AWS_PROFILE/)
    expect([details[STOCK_ROLE], details['store table jeton'], details['audit table jeton-audit']]).toEqual(
      Array(3).fill('not tried, because jeton has no AWS credentials: see AWS identity'),
    )
    expect([results['issuer ci'], results['audit stdout']]).toEqual(['ok', 'ok'])
    expect(standIns().sts.requests()).toBe(0)
  })

  test('with credentials that AWS does not know', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE')
    const { exitCode, details } = await goLive()
    expect(exitCode).toBe(1)
    expect(details['AWS identity']).toMatch(/InvalidClientTokenId \(403\).*does not know the access key/)
  })

  test('tables without a region, and no role: STS is called in the region of each database', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    const outcome = await goLive()
    expect(failuresOf(outcome)).toEqual([
      'store table jeton',
      'store key alias/jeton',
      'audit table jeton-audit',
    ])
    expect(outcome.details['store table jeton']).toContain('set AWS_REGION')
    expect(outcome.details['store table jeton: TTL']).toMatch(/^not known: .*set AWS_REGION$/)
    expect(outcome.details['AWS identity']).toContain("each database's own")
    const region = 'us-east-1'
    const store = { type: 'dynamodb', table: 'jeton', region, encryption: { kmsKeyId: 'alias/jeton' } }
    expect(failuresOf(await goLive({ store, audit: [{ type: 'stdout' }] }))).toEqual([])
  })

  test.each([
    ['down', /cannot be reached.*jwksFile/],
    ['wrong-issuer', /names another issuer, https:\/\/someone\.example: `issuer` must be written as there/],
    ['garbage', /not a JSON object/],
    ['slow', /has not answered within 5000 ms/],
  ] as const)('an issuer that is %s', async (fault, words) => {
    standIns().issuer.fault = fault
    const outcome = await goLive()
    expect([outcome.exitCode, failuresOf(outcome)]).toEqual([1, ['issuer ci']])
    expect(outcome.details['issuer ci']).toMatch(words)
  })

  test.each([
    ['no keys', []],
    ['only a key that encrypts', [publicKey({ use: 'enc' })]],
    ['only a key of an unknown curve', [publicKey({ crv: 'P-999', alg: undefined })]],
  ])('an issuer that publishes %s, and one with such keys in its file', async (_, keys) => {
    const server = createServer((request, response) => {
      const isKeys = request.url === '/keys'
      response.end(JSON.stringify(isKeys ? { keys } : { issuer: url, jwks_uri: `${url}/keys` }))
    })
    const { url, close } = await listenOnLoopback(server)
    try {
      const outcome = await goLive({
        issuers: { ci: { issuer: url, audience: 'jeton' } },
      })
      expect(failuresOf(outcome)).toEqual(['issuer ci'])
      expect(outcome.details['issuer ci']).toMatch(/none of the \d keys .* can verify a JWT/)
    } finally {
      await close()
    }
  })

  test('a table that does not exist', async () => {
    const store = { type: 'dynamodb', table: 'jetton', encryption: { kmsKeyId: 'alias/jeton' } }
    const audit = [{ type: 'dynamodb', table: 'jeton-audits' }]
    const outcome = await goLive({ store, audit })
    expect(failuresOf(outcome)).toEqual(['store table jetton', 'audit table jeton-audits'])
    for (const what of failuresOf(outcome)) expect(outcome.details[what]).toContain('there is no such table')
  })

  test('tables whose keys are others', async () => {
    const { dynamodb } = standIns()
    const client = new DynamoDBClient({ endpoint: dynamodb.url })
    await client.send(
      new CreateTableCommand({
        TableName: 'other',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    )
    client.destroy()
    const encryption = { kmsKeyId: 'alias/jeton' }
    const store = await goLive({ store: { type: 'dynamodb', table: 'other', encryption } })
    expect(store.details['store table other']).toMatch(/ValidationException.*must be pk and sk/)
    const audit = await goLive({ audit: [{ type: 'dynamodb', table: 'other' }] })
    expect(audit.details['audit table other']).toMatch(/ValidationException.*must be pk and sk/)
    expect(await dynamodb.items('other')).toEqual([])
  })

  test('a KMS key that does not exist', async () => {
    const encryption = { kmsKeyId: 'alias/jetton' }
    const outcome = await goLive({ store: { type: 'dynamodb', table: 'jeton', encryption } })
    expect(failuresOf(outcome)).toEqual(['store key alias/jetton'])
    expect(outcome.details['store key alias/jetton']).toMatch(/NotFoundException.*no such key/)
  })

  test('STS that never answers, in time', async () => {
    const { sts } = standIns()
    const deadlines = holdDeadlines()
    sts.faults.hanging = true
    const [outcome] = await Promise.all([goLive(), deadlines.pass(12_000, () => sts.requests() === 4)])
    expect(failuresOf(outcome)).toEqual([
      'AWS identity',
      `${ORDERS_ROLE} for orders`,
      `${ORDERS_ROLE} for ledger`,
      STOCK_ROLE,
    ])
    expect(outcome.details['AWS identity']).toContain('TimeoutError')
  })

  test('a search for credentials that never ends, in time', async () => {
    const deadlines = holdDeadlines()
    await hangCredentialSearch()
    const [{ exitCode, details }] = await Promise.all([goLive(), deadlines.pass(12_000)])
    expect(exitCode).toBe(1)
    expect(details['AWS identity']).toMatch(/no credentials.*TimeoutError; the search does not end/)
  })

  test.each([
    ['a profile that does not exist', { AWS_PROFILE: 'nope' }, '', /AWS_PROFILE .* names is not in/],
    [
      'a credential_process that fails',
      {},
      '[default]\ncredential_process = sh -c "echo s3cret >&2; exit 3"\n',
      /the credential_process .* fails/,
    ],
  ])('without credentials, because of %s, and says so', async (_, env, config, words) => {
    const path = join(standIns().folder, 'config')
    await writeFile(path, config)
    stubEnvironment({ AWS_CONFIG_FILE: path, ...env })
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    const { stdout, details } = await goLive()
    expect(details['AWS identity']).toMatch(words)
    expect(stdout).not.toContain('s3cret')
  })
})

describe('jeton check --live compares the clock', () => {
  test.each([
    [10 * MINUTE_MS, 'failed', /^10 minutes behind AWS's: run NTP/],
    [-10 * MINUTE_MS, 'failed', /^10 minutes ahead of AWS's/],
    [60_000, 'warning', /^60 s behind AWS's/],
    [0, 'ok', /^agrees with AWS's/],
  ])('with AWS, whose clock is %i ms ahead', async (ms, result, words) => {
    const { sts, kms, dynamodb } = standIns()
    sts.faults.clockShiftMs = ms
    kms.faults.clockShiftMs = ms
    dynamodb.faults.dateOffsetMs = ms
    const { exitCode, results, details } = await goLive()
    expect([exitCode, results.clock]).toEqual([result === 'failed' ? 1 : 0, result])
    expect(details.clock).toMatch(words)
  })

  test('with the one of them that differs most', async () => {
    standIns().sts.faults.clockShiftMs = 10 * MINUTE_MS
    expect((await goLive()).details.clock).toMatch(/^10 minutes behind AWS's/)
  })

  test('with issuers if nothing of AWS answers, and counts how old a reply is that a cache kept', async () => {
    const alone = { databases: {}, grants: [], store: { type: 'memory' }, audit: [{ type: 'stdout' }] }
    const dated = (headers: Record<string, string>) => async (url: string | URL | Request) => {
      const { text, status } = await fetch(url).then(async reply => ({
        text: await reply.text(),
        status: reply.status,
      }))
      return new Response(text, { status, headers })
    }
    const then = new Date(Date.now() - 10 * MINUTE_MS).toUTCString()
    const late = await goLive(alone, { fetch: dated({ date: then }) })
    expect(late.details.clock).toMatch(/^10 minutes ahead of the issuers'/)
    const cached = await goLive(alone, { fetch: dated({ date: then, age: '600' }) })
    expect(cached.details.clock).toMatch(/^agrees with the issuers'/)
    const undated = await goLive(alone, { fetch: dated({}) })
    expect([undated.exitCode, undated.results.clock]).toEqual([0, 'warning'])
  })
})

describe('jeton check --live warns', () => {
  test('of a name that does not resolve, and fails for it only if it is strict', async () => {
    const lookUp = () => Promise.reject(Object.assign(new Error('s3cret'), { code: 'ENOTFOUND' }))
    const alone = { store: { type: 'memory' }, audit: [{ type: 'stdout' }] }
    const { exitCode, results, details } = await goLive(alone, { lookUp })
    const what = `endpoint ${DATABASES.stock.host}`
    expect([exitCode, results[what]]).toEqual([0, 'warning'])
    expect(details[what]).toMatch(/^does not resolve here \(ENOTFOUND\): callers/)
    expect((await goLive(alone, { lookUp, isStrict: true })).exitCode).toBe(1)
  })

  test("of the fleet's data key that another KMS key made", async () => {
    const { kms } = standIns()
    const { openStore } = await import('../../../src/store/open-store.ts')
    const { NO_METRICS } = await import('../../../src/telemetry/metrics.ts')
    const clock = systemClock()
    const backgroundTasks = createBackgroundTasks()
    const log = createLogRecorder()
    const parts = { clock, health: createHealth(), log, metrics: NO_METRICS, backgroundTasks }
    const encryption = { type: 'kms', kmsKeyId: 'alias/jeton' } as const
    const store = await openStore({ type: 'dynamodb', table: 'jeton', encryption }, parts)
    const bytes = Buffer.from('{}')
    await store.compareAndSwap({
      key: 'a',
      bytes,
      expectedVersion: 'absent',
      expiresAt: clock.now() + MINUTE_MS,
    })
    expect((await goLive()).details['store key alias/jeton']).toMatch(/and the fleet's of today$/)
    kms.aliases.set('alias/jeton', kms.addKey())
    const { exitCode, results, details } = await goLive()
    expect([exitCode, results['store key alias/jeton']]).toEqual([0, 'warning'])
    expect(details['store key alias/jeton']).toContain('another key made it')
  })
})
