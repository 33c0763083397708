import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { createDynamodbSink } from '../../src/audit/dynamodb/sink.ts'
import { createDynamodbClient } from '../../src/aws/dynamodb.ts'
import { type IamArguments, iamCommand } from '../../src/cli/iam.ts'
import { lintPolicyCommand } from '../../src/cli/lint-policy.ts'
import type { JetonPlatform } from '../../src/iam/platforms.ts'
import type { PolicyDocument } from '../../src/iam/role-policies.ts'
import { createDynamodbStore } from '../../src/store/dynamodb.ts'
import { createAwsKms } from '../../src/store/keyring/aws-kms.ts'
import { sessionName } from '../../src/tokens/role-session/session-name.ts'
import { sound, written as writtenConfig } from '../config/support.ts'
import { type Dynamodb, startDynamodb } from '../support/aws/dynamodb.ts'
import { type KmsServer, startKms } from '../support/aws/kms.ts'
import { stubEnvironment } from '../support/aws/stub-environment.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { recordStreams } from './record-streams.ts'

const JETON = 'arn:aws:iam::210987654321:role/jeton'
const ACCOUNT = '123456789012'
const ANCHOR =
  'arn:aws:rolesanywhere:us-east-1:210987654321:trust-anchor/1234abcd-12ab-34cd-56ef-1234567890ab'
const KEY = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'

async function iam(config: object, args: Partial<IamArguments> = {}) {
  const { streams, written } = recordStreams()
  const configPath = await writtenConfig(config)
  const exitCode = await iamCommand({ configPath, format: 'json', ...args }, streams)
  return { exitCode, ...written }
}

interface Documents {
  role?: string
  trust: PolicyDocument
  permissions: PolicyDocument
}

async function documents(config: object, args: Partial<IamArguments> = {}): Promise<Documents> {
  const { stdout, stderr } = await iam(config, args)
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

const { orders } = sound().databases
const ledger = {
  ...orders,
  host: orders.host.replace('orders', 'ledger'),
  resourceId: 'cluster-ABC',
  users: ['app_rw', 'über user'],
}
const target = { database: 'orders', jetonRole: JETON }
const arn = (idAndUser: string) => `arn:aws:rds-db:us-east-1:123456789012:dbuser:${idAndUser}`

describe('jeton iam DATABASE', () => {
  test('prints a role that jeton alone may assume, to connect as the configured users and nothing else', async () => {
    expect(await documents(sound(), target)).toEqual({
      role: orders.roleArn,
      trust: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: JETON },
            Action: 'sts:AssumeRole',
            Condition: { StringLike: { 'sts:RoleSessionName': ['orders.app_ro', 'orders.migrator'] } },
          },
          { Effect: 'Allow', Principal: { AWS: JETON }, Action: ['sts:TagSession', 'sts:SetSourceIdentity'] },
        ],
      },
      permissions: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'rds-db:connect',
            Resource: [arn(`${orders.resourceId}/app_ro`), arn(`${orders.resourceId}/migrator`)],
          },
        ],
      },
    })
  })

  test('prints a role for all databases that share it, and for no other', async () => {
    const other = { ...ledger, roleArn: 'arn:aws:iam::123456789012:role/other' }
    const databases = { orders, ledger, replica: { ...orders, port: 5433 }, other }
    const { trust, permissions } = await documents({ ...sound(), databases }, target)
    expect(permissions.Statement).toHaveLength(1)
    expect(permissions.Statement[0]?.Resource).toEqual([
      arn(`${orders.resourceId}/app_ro`),
      arn(`${orders.resourceId}/migrator`),
      arn('cluster-ABC/app_rw'),
      arn('cluster-ABC/über user'),
    ])
    const names = JSON.stringify(trust)
    expect(names).toContain(sessionName({ database: 'ledger', user: 'über user' }))
    expect(names).not.toContain('other.')
  })

  test.each<[JetonPlatform, readonly string[]]>([
    ['lambda', []],
    ['ecs', []],
    ['ec2', []],
    ['eks', ['sts:TagSession']],
    ['anywhere', ['sts:TagSession', 'sts:SetSourceIdentity']],
  ])("trusts what jeton's own session brings along from %s, and no more", async (runsOn, actions) => {
    const { trust } = await documents(sound(), { ...target, runsOn })
    const others = trust.Statement.filter(({ Action }) => Action !== 'sts:AssumeRole')
    // IAM knows neither session name nor external id when it decides about these actions
    expect(others).toEqual(
      actions.length > 0 ? [{ Effect: 'Allow', Principal: { AWS: JETON }, Action: actions }] : [],
    )
  })

  test("prints both policies without further flags, with a placeholder for jeton's role that IAM refuses", async () => {
    const { exitCode, stdout, stderr } = await iam(sound(), { database: 'orders' })
    expect(exitCode).toBe(0)
    const { trust, permissions } = JSON.parse(stdout) as Documents
    const principals = trust.Statement.map(({ Principal }) => Principal?.AWS)
    expect(principals).toEqual(Array(2).fill('arn:aws:iam::<ACCOUNT-OF-JETON>:role/<JETON-ROLE>'))
    expect(permissions.Statement).toHaveLength(1)
    expect(stderr).toMatch(/^note: <ACCOUNT-OF-JETON> and <JETON-ROLE> stand for .*give --jeton-role ARN/)
    // what was half replaced is no role either
    for (const pasted of [principals[0], 'arn:aws:iam::210987654321:role/<JETON-ROLE>'])
      expect((await iam(sound(), { ...target, jetonRole: String(pasted) })).exitCode).toBe(2)
  })

  test('requires the external id of each database, and none if none is configured', async () => {
    const databases = {
      orders: { ...orders, externalId: 'one' },
      ledger,
      third: { ...orders, externalId: 'one' },
    }
    const { trust } = await documents({ ...sound(), databases }, target)
    const assuming = trust.Statement.filter(({ Action }) => Action === 'sts:AssumeRole')
    const conditions = assuming.map(({ Condition }) => [
      Condition?.StringEquals,
      Condition?.StringLike?.['sts:RoleSessionName'],
    ])
    expect(conditions).toEqual([
      [{ 'sts:ExternalId': 'one' }, ['orders.app_ro', 'orders.migrator', 'third.app_ro', 'third.migrator']],
      [undefined, ['ledger.app_rw', sessionName({ database: 'ledger', user: 'über user' })]],
    ])
  })

  test('allows per-principal sessions if a grant has them', async () => {
    const [grant] = sound().grants
    const config = { ...sound(), grants: [{ ...grant, session: 'per-principal' }] }
    const { trust } = await documents(config, target)
    const patterns = trust.Statement[0]?.Condition?.StringLike?.['sts:RoleSessionName'] as string[]
    const own = patterns.filter(pattern => pattern.includes('*'))
    expect(own).toHaveLength(1)
    const regExp = new RegExp(`^${own[0]?.replace('*', '.*').replaceAll('?', '.')}$`)
    for (const subject of ['a', 'repo:acme/orders:ref:refs/heads/main', 'x'.repeat(200)]) {
      const name = sessionName({
        database: 'orders',
        user: 'migrator',
        principal: { issuer: 'own', subject },
      })
      expect(name).toMatch(regExp)
    }
    expect('orders.admin').not.toMatch(regExp)
  })

  test('prints a template with a parameter for the role to trust if that is not given', async () => {
    const databases = {
      orders: { ...orders, roleArn: 'arn:aws:iam::123456789012:role/a/b/jeton-orders', users: ['no'] },
    }
    const config = { ...sound(), databases, grants: [] }
    const { stdout } = await iam(config, { database: 'orders', format: 'cloudformation' })
    const { Parameters, Resources, Outputs } = parse(stdout, { version: '1.1' })
    expect(Object.keys(Parameters)).toEqual(['JetonRoleArn'])
    expect(JETON).toMatch(new RegExp(`^${Parameters.JetonRoleArn.AllowedPattern}$`))
    const { Type, Properties } = Resources.Role
    expect({ Type, ...Properties }).toMatchObject({
      Type: 'AWS::IAM::Role',
      RoleName: 'jeton-orders',
      Path: '/a/b/',
    })
    expect(Properties.AssumeRolePolicyDocument.Version).toBe('2012-10-17')
    expect(Properties.AssumeRolePolicyDocument.Statement[0].Principal).toEqual({
      AWS: { Ref: 'JetonRoleArn' },
    })
    expect(Properties.Policies[0].PolicyDocument.Statement[0].Resource).toEqual([
      arn(`${orders.resourceId}/no`),
    ])
    expect(Outputs.RoleArn.Value).toEqual({ 'Fn::GetAtt': ['Role', 'Arn'] })
    const named = await iam(config, { ...target, format: 'cloudformation' })
    expect(parse(named.stdout).Parameters).toBeUndefined()
  })

  test('prints a note if a policy is longer than IAM takes', async () => {
    const users = Array.from({ length: 60 }, (_, i) => `a_rather_long_user_name_${i}`)
    const config = { ...sound(), databases: { orders: { ...orders, users } }, grants: [] }
    const { exitCode, stderr } = await iam(config, target)
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^note: trust: \d+ characters, but IAM takes at most 2048 for one role\n$/)
  })

  test.each<[Partial<IamArguments>, string]>([
    [{ database: 'x' }, 'no database of that name; it has: orders'],
    [{ ...target, jetonRole: '*' }, 'must be the ARN of one IAM role or user'],
    [{ ...target, jetonRole: 'arn:aws:iam::210987654321:root' }, 'must be the ARN of one IAM role or user'],
    [{ ...target, jetonRole: `${JETON}*` }, 'must be the ARN of one IAM role or user'],
    [
      { ...target, jetonRole: 'arn:aws:sts::210987654321:assumed-role/jeton/x' },
      'is the ARN of a role session',
    ],
    [{ ...target, jetonRole: JETON.replace('aws', 'aws-cn') }, 'is in partition aws-cn'],
    [{ ...target, account: ACCOUNT }, "--account is only for jeton's own role"],
    [{ ...target, kmsKey: KEY }, "--kms-key is only for jeton's own role"],
    [{ ...target, trustAnchor: ANCHOR }, "--trust-anchor is only for jeton's own role"],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stdout, stderr } = await iam(sound(), args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

const SHARED = {
  ...sound(),
  store: { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: 'alias/jeton' } },
  audit: [{ type: 'dynamodb', table: 'jeton-audit' }, { type: 'stdout' }],
}
const here = { account: ACCOUNT, region: 'us-east-1' }
const encryptedWith = (kmsKeyId: string) => ({
  ...SHARED,
  store: { ...SHARED.store, encryption: { kmsKeyId } },
})

describe('jeton iam', () => {
  test('allows only assuming the configured roles if there are no tables', async () => {
    const { role, permissions, trust } = await documents(sound())
    expect(role).toBeUndefined()
    expect(permissions.Statement).toEqual([
      { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: [orders.roleArn] },
    ])
    expect(trust.Statement[0]?.Principal).toEqual({ Service: 'lambda.amazonaws.com' })
  })

  test.each<[JetonPlatform, object]>([
    ['lambda', { Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    ['ecs', { Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    ['ec2', { Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    [
      'eks',
      { Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
    ],
    [
      'anywhere',
      {
        Principal: { Service: 'rolesanywhere.amazonaws.com' },
        Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
        Condition: { ArnEquals: { 'aws:SourceArn': ANCHOR } },
      },
    ],
  ])(
    'trusts %s, and allows roles to be assumed with what it sets in the session',
    async (runsOn, statement) => {
      const anchor = runsOn === 'anywhere' ? { trustAnchor: ANCHOR } : {}
      const { stdout } = await iam(sound(), { runsOn, ...anchor })
      const { trust, permissions } = JSON.parse(stdout) as Documents
      expect(trust.Statement).toEqual([{ Effect: 'Allow', ...statement }])
      expect(permissions.Statement).toEqual([
        { Effect: 'Allow', Action: trust.Statement[0]?.Action, Resource: [orders.roleArn] },
      ])
    },
  )

  test('says where the trust policy of IRSA is, which is not that of Pod Identity', async () => {
    const { exitCode, stderr } = await iam(sound(), { runsOn: 'eks' })
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^note: the trust policy is that of EKS Pod Identity\. .*IRSA/)
  })

  test('prints both policies without further flags, with placeholders that nothing matches', async () => {
    const { exitCode, stdout, stderr } = await iam(SHARED, { runsOn: 'anywhere' })
    expect(exitCode).toBe(0)
    const { trust, permissions } = JSON.parse(stdout) as Documents
    expect(trust.Statement[0]?.Condition).toEqual({ ArnEquals: { 'aws:SourceArn': '<TRUST-ANCHOR-ARN>' } })
    expect(permissions.Statement[1]?.Resource).toEqual(['arn:aws:dynamodb:<REGION>:<ACCOUNT>:table/jeton'])
    const notes = stderr
      .split('\n')
      .map(line => /^note: (<\S+>) stands for .*(--[a-z-]+)/.exec(line)?.slice(1))
    expect(notes.slice(0, -1)).toEqual([
      ['<ACCOUNT>', '--account'],
      ['<REGION>', '--region'],
      ['<TRUST-ANCHOR-ARN>', '--trust-anchor'],
    ])
  })

  test('prints a template with a parameter for the trust anchor if that is not given', async () => {
    const { stdout, stderr } = await iam(SHARED, { runsOn: 'anywhere', format: 'cloudformation' })
    const { Parameters, Resources } = parse(stdout)
    expect(Object.keys(Parameters)).toEqual(['TrustAnchorArn'])
    expect(ANCHOR).toMatch(new RegExp(`^${Parameters.TrustAnchorArn.AllowedPattern}$`))
    expect(Resources.Role.Properties.AssumeRolePolicyDocument.Statement[0].Condition).toEqual({
      ArnEquals: { 'aws:SourceArn': { Ref: 'TrustAnchorArn' } },
    })
    expect(stderr).toBe('')
  })

  test('may read the audit table for the console, if that is on, and never as a function', async () => {
    const reading = async (config: object, runsOn: JetonPlatform) => {
      const { permissions } = await documents(config, {
        account: ACCOUNT,
        environmentRegion: 'us-east-1',
        runsOn,
      })
      return permissions.Statement.filter(({ Action }) => /Query|BatchGet/.test(String(Action)))
    }
    const withConsole = { ...SHARED, server: { admin: { console: true } } }
    const table = 'arn:aws:dynamodb:us-east-1:123456789012:table/jeton-audit'
    expect(await reading(withConsole, 'ecs')).toEqual([
      { Effect: 'Allow', Action: ['dynamodb:Query'], Resource: [table, `${table}/index/byPrincipal`] },
      { Effect: 'Allow', Action: ['dynamodb:BatchGetItem'], Resource: [table] },
    ])
    expect(await reading(withConsole, 'lambda')).toEqual([])
    expect(await reading(SHARED, 'ecs')).toEqual([])
  })

  test('names each table and key in its own region', async () => {
    const store = { ...SHARED.store, region: 'eu-west-1' }
    const { permissions } = await documents(
      { ...SHARED, store },
      { account: ACCOUNT, environmentRegion: 'eu-north-1' },
    )
    expect(permissions.Statement.map(({ Resource }) => Resource)).toEqual([
      [orders.roleArn],
      ['arn:aws:dynamodb:eu-west-1:123456789012:table/jeton'],
      ['arn:aws:kms:eu-west-1:123456789012:key/*'],
      ['arn:aws:kms:eu-west-1:123456789012:key/*'],
      ['arn:aws:dynamodb:eu-north-1:123456789012:table/jeton-audit'],
    ])
  })

  test.each([
    [KEY, {}, KEY, undefined],
    [
      'mrk-1234abcd12ab34cd56ef1234567890ab',
      {},
      'arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab',
      undefined,
    ],
    ['alias/jeton', {}, 'arn:aws:kms:us-east-1:123456789012:key/*', 'alias/jeton'],
    ['alias/jeton', { kmsKey: KEY }, KEY, undefined],
    [
      'arn:aws:kms:eu-west-1:999999999999:alias/a/b',
      {},
      'arn:aws:kms:eu-west-1:999999999999:key/*',
      'alias/a/b',
    ],
  ])('allows the key %s %j as %s', async (kmsKeyId, args, resource, alias) => {
    const { permissions } = await documents(encryptedWith(kmsKeyId), { ...here, ...args })
    const statement = permissions.Statement.find(({ Action }) => Action.includes('kms:Decrypt'))
    expect(statement?.Resource).toEqual([resource])
    expect(statement?.Condition?.StringEquals?.['kms:RequestAlias']).toBe(alias)
  })

  test('prints a template that takes what is not given from its stack', async () => {
    const { stdout } = await iam(SHARED, { format: 'cloudformation', environmentRegion: 'eu-north-1' })
    const { Statement } = parse(stdout).Resources.Role.Properties.Policies[0].PolicyDocument
    expect(Statement[1].Resource).toEqual([
      { 'Fn::Sub': 'arn:aws:dynamodb:$'.concat('{AWS::Region}:$', '{AWS::AccountId}:table/jeton') },
    ])
    const given = await iam(SHARED, { ...here, format: 'cloudformation' })
    expect(given.stdout).not.toContain('Fn::Sub')
  })

  test.each<[Partial<IamArguments>, string]>([
    [{ ...here, account: '*' }, '--account must be the 12 digits'],
    [{ ...here, region: 'cn-north-1' }, '--region must be a region of partition aws'],
    [
      { ...here, kmsKey: 'arn:aws:kms:us-east-1:123456789012:key/*' },
      '--kms-key must be the ARN of a KMS key',
    ],
    [{ ...here, kmsKey: 'alias/x' }, '--kms-key must be the ARN of a KMS key'],
    [{ ...here, jetonRole: JETON }, '--jeton-role is only for the role of a database'],
    [{ ...here, trustAnchor: ANCHOR }, '--trust-anchor is only for IAM Roles Anywhere'],
    [{ ...here, runsOn: 'ecs', trustAnchor: ANCHOR }, '--trust-anchor is only for IAM Roles Anywhere'],
    [{ ...here, runsOn: 'anywhere', trustAnchor: `${ANCHOR}*` }, '--trust-anchor must be the ARN'],
    [
      { ...here, runsOn: 'anywhere', trustAnchor: ANCHOR.replace('aws', 'aws-cn') },
      'must be the ARN of a trust anchor in partition aws',
    ],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stdout, stderr } = await iam(SHARED, args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  test('refuses --kms-key for a store without a KMS key, or with the key itself', async () => {
    expect((await iam(sound(), { ...here, kmsKey: KEY })).stderr).toContain('not encrypted with a KMS key')
    expect((await iam(encryptedWith(KEY), { ...here, kmsKey: KEY })).stderr).toContain('names the key itself')
  })

  test.each<Partial<IamArguments>>([
    here,
    { ...here, runsOn: 'eks' },
    { ...here, runsOn: 'anywhere', trustAnchor: ANCHOR },
    target,
    { ...target, runsOn: 'eks' },
  ])('prints policies that pass lint-policy, compared with the configuration: %j', async args => {
    const configPath = await writtenConfig(SHARED)
    for (const format of ['json', 'cloudformation'] as const) {
      const { stdout } = await iam(SHARED, { format, ...args })
      const { streams, written } = recordStreams(stdout)
      const lintArgs = { files: ['-'], configPath, strict: true, output: 'text' as const }
      expect(await lintPolicyCommand(lintArgs, streams)).toBe(0)
      expect(written.stdout).toMatch(/^ok: [15] statements?\n$/)
    }
  })
})

test('lint-policy says which placeholders are still in a policy', async () => {
  const lint = async (text: string) => {
    const { streams, written } = recordStreams(text)
    expect(await lintPolicyCommand({ files: ['-'], output: 'text' }, streams)).toBe(0)
    return written.stderr
  }
  const own = await iam(SHARED, {})
  expect(own.stderr).toContain('<ACCOUNT> stands for')
  expect(await lint(own.stdout)).toBe(own.stderr.replaceAll('note: ', 'note: -: '))
  const trust = await iam(sound(), { database: 'orders' })
  expect(await lint(trust.stdout)).toMatch(/^note: -: <ACCOUNT-OF-JETON> and <JETON-ROLE> stand for .*\n$/)
})

describe('the calls of stores and sinks', () => {
  let dynamodb: Dynamodb
  let kms: KmsServer

  beforeAll(async () => {
    ;[dynamodb, kms] = await Promise.all([startDynamodb(), startKms()])
    stubEnvironment({ ...dynamodb.environment(), ...kms.environment() })
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await Promise.all([dynamodb.close(), kms.close()])
  })

  test('are those that the role allows, and it allows no others', async () => {
    const clock = virtualClock()
    const client = createDynamodbClient({ clock })
    const store = createDynamodbStore({ client, table: 'jeton', clock })
    await store.compareAndSwap({
      key: 'k',
      bytes: Buffer.from('x'),
      expectedVersion: 'absent',
      expiresAt: clock.now() + 60_000,
    })
    await store.read('k')
    const sink = createDynamodbSink({ client, table: 'jeton-audit', clock, random: Math.random })
    await sink.append([
      JSON.stringify({ type: 'jeton.audit', v: 1, id: 'x', time: new Date(clock.now()).toISOString() }),
    ])
    const key = createAwsKms({ kmsKeyId: 'alias/jeton', table: 'jeton', clock, log: createLogRecorder() })
    const record = 'data-key/b734bc212cf9/2026-11-23/bound'
    await key.decrypt((await key.generateDataKey(record)).encryptedKey, record)
    client.destroy()

    const called = new Set([
      ...dynamodb.calls.map(
        ({ operation, table }) =>
          `dynamodb:${operation} arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/${table}`,
      ),
      ...kms.calls.map(({ operation }) => `kms:${operation} arn:aws:kms:us-east-1:${ACCOUNT}:key/*`),
    ])
    const { permissions } = await documents(SHARED, here)
    const allowed = permissions.Statement.flatMap(({ Action, Resource = [] }) =>
      [Action].flat().flatMap(action => Resource.map(resource => `${action} ${resource}`)),
    ).filter(call => !call.startsWith('sts:'))
    expect(new Set(allowed)).toEqual(called)

    for (const { operation, context, keyId } of kms.calls) {
      const statement = permissions.Statement.find(({ Action }) => Action === `kms:${operation}`)
      const { key, ...exact } = context
      const keys = Object.entries(exact).map(([name, value]) => [`kms:EncryptionContext:${name}`, value])
      expect(key).toMatch(/^data-key\//)
      expect(statement?.Condition).toEqual({
        StringEquals: { ...Object.fromEntries(keys), 'kms:RequestAlias': keyId },
        // keys from before 0.1 are bound to no record, and still decrypt
        [operation === 'Decrypt' ? 'StringLikeIfExists' : 'StringLike']: {
          'kms:EncryptionContext:key': 'data-key/*',
        },
        'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': Object.keys(context) },
      })
    }
  })
})
