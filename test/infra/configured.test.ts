import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { readConfigured } from '../../infra/configured.ts'
import { iamCommand } from '../../src/cli/iam.ts'
import type { PolicyDocument } from '../../src/iam/role-policies.ts'
import { recordStreams } from '../cli/record-streams.ts'
import { CONFIG } from './example-stack.ts'
import { newJwks } from './jwks.ts'

const JWKS = JSON.stringify(await newJwks())

async function configured(over: object = {}, { config = 'jeton.yaml', configInS3 = '', basePath = '' } = {}) {
  return readConfigured({ folder: await folderWith(over, config), config, configInS3, basePath })
}

async function printedPermissions(): Promise<PolicyDocument> {
  const configPath = join(await folderWith({}, 'jeton.yaml'), 'jeton.yaml')
  const { streams, written } = recordStreams()
  expect(await iamCommand({ configPath, format: 'cloudformation' }, streams)).toBe(0)
  return parse(written.stdout).Resources.Role.Properties.Policies[0].PolicyDocument
}

async function folderWith(over: object, config: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'jeton-configured-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'live'))
  await writeFile(join(folder, config), JSON.stringify({ ...CONFIG, ...over }))
  for (const name of ['cluster-jwks.json', 'live/cluster-jwks.json', 'live/keys {a,b}*.json'])
    await writeFile(join(folder, name), JWKS)
  await writeFile(join(folder, 'store.key'), Buffer.alloc(32, 7).toString('base64'))
  return folder
}

const { store, issuers } = CONFIG
const table = { type: 'dynamodb', table: 'jeton-audit' }
const stdout = { type: 'stdout' }

describe('readConfigured refuses a configuration that this stack would not honour:', () => {
  test.each([
    ['a table elsewhere', { store: { ...store, region: 'eu-west-1' } }, 'store.region'],
    [
      'a key in the package',
      { store: { ...store, encryption: { keyFile: 'store.key' } } },
      'store.encryption',
    ],
    [
      "a key that is not the stack's",
      { store: { ...store, encryption: { kmsKeyId: '11111111-2222-3333-4444-555555555555' } } },
      'store.encryption.kmsKeyId',
    ],
    ['an audit table elsewhere', { audit: [{ ...table, region: 'eu-west-1' }, stdout] }, 'leave region out'],
    ['two audit tables', { audit: [table, { ...table, table: 'jeton-audit-2' }, stdout] }, 'only one table'],
    [
      'an audit log on a disk that is lost',
      { audit: [{ type: 'file', path: 'a.jsonl' }, stdout] },
      'a file on Lambda',
    ],
    ['records that no alarm counts', { audit: [table] }, 'add { type: stdout }'],
  ])('%s', async (_, over, message) => {
    await expect(configured(over)).rejects.toThrow(message)
  })

  test('all of its problems at once', async () => {
    const reading = configured({ store: { ...store, region: 'eu-west-1' }, audit: [table] })
    await expect(reading).rejects.toThrow(/store\.region.*\n.*stdout/)
  })
})

test('readConfigured permits what `jeton iam` prints, with the key of the stack', async () => {
  const { permissions } = await configured()
  const printed = (await printedPermissions()).Statement.map(statement =>
    String(statement.Action).startsWith('kms:')
      ? { ...statement, Resource: [{ 'Fn::Sub': `$\{Key.Arn}` }] }
      : statement,
  )
  expect(permissions).toEqual({ Version: '2012-10-17', Statement: printed })
})

test('readConfigured needs no permission and no name for a memory store', async () => {
  const { permissions, storeTable, auditTable, keyAlias } = await configured({
    store: { type: 'memory' },
    audit: [stdout],
  })
  expect(permissions.Statement.map(({ Action }) => Action)).toEqual(['sts:AssumeRole'])
  expect({ storeTable, auditTable, keyAlias }).toEqual({})
})

describe('the package', () => {
  test('has the configuration and the files that it names, even if the names look like patterns', async () => {
    const { cluster, ci } = issuers
    const { patterns, location } = await configured(
      { issuers: { ci, cluster: { ...cluster, jwksFile: 'keys {a,b}*.json' } } },
      { config: 'live/jeton.yaml' },
    )
    expect(location).toBe('live/jeton.yaml')
    expect(patterns.slice(-2)).toEqual(['live/jeton.yaml', String.raw`live/keys \{a,b\}\*.json`])
  })

  test('cannot have a file from outside the folder', async () => {
    const { cluster, ci } = issuers
    const outside = join(tmpdir(), `jeton-outside-${process.pid}.json`)
    onTestFinished(() => rm(outside, { force: true }))
    await writeFile(outside, JWKS)
    const packaging = configured({ issuers: { ci, cluster: { ...cluster, jwksFile: outside } } })
    await expect(packaging).rejects.toThrow('the folder that is packaged')
  })
})

test('readConfigured allows the role to read a configuration in S3 and the files that it names, and nothing else', async () => {
  const { permissions, location, patterns } = await configured(
    {},
    { configInS3: 's3://acme/live/jeton.yaml' },
  )
  expect(location).toEqual({ 'Fn::Sub': 's3://acme/live/jeton.yaml?owner=$'.concat('{AWS::AccountId}') })
  expect(patterns).not.toContain('jeton.yaml')
  expect(permissions.Statement.at(-1)).toEqual({
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: ['arn:aws:s3:::acme/live/jeton.yaml', 'arn:aws:s3:::acme/live/cluster-jwks.json'],
    Condition: { StringEquals: { 'aws:ResourceAccount': { Ref: 'AWS::AccountId' } } },
  })
  await expect(configured({}, { configInS3: 'acme/live/jeton.yaml' })).rejects.toThrow('s3://BUCKET/KEY')
})

test('readConfigured takes the account that owns the bucket from the URL, if it names one', async () => {
  const configInS3 = 's3://acme/live/jeton.yaml?owner=210987654321'
  const { permissions, location } = await configured({}, { configInS3 })
  expect(location).toBe(configInS3)
  expect(permissions.Statement.at(-1)).toMatchObject({
    Resource: ['arn:aws:s3:::acme/live/jeton.yaml', 'arn:aws:s3:::acme/live/cluster-jwks.json'],
    Condition: { StringEquals: { 'aws:ResourceAccount': '210987654321' } },
  })
})

test.each([
  's3://acme/*',
  's3://acme/live/jeton?.yaml',
  's3://*/jeton.yaml',
  `s3://acme/\${aws:username}/jeton.yaml`,
])('configInS3 cannot be %s, which would match other objects in a policy', async configInS3 => {
  await expect(configured({}, { configInS3 })).rejects.toThrow(`cannot have *, ? or $`)
})

test('configInS3 cannot name an account that is none', async () => {
  const configInS3 = 's3://acme/live/jeton.yaml?owner=21098765432'
  await expect(configured({}, { configInS3 })).rejects.toThrow('must end in ?owner= and the 12 digits')
})

test('readConfigured refuses a configuration in S3 that names a file which would match other objects in a policy', async () => {
  const { cluster, ci } = issuers
  const over = { issuers: { ci, cluster: { ...cluster, jwksFile: 'live/keys {a,b}*.json' } } }
  const packaging = configured(over, { configInS3: 's3://acme/jeton.yaml' })
  await expect(packaging).rejects.toThrow('s3://acme/live/keys {a,b}*.json cannot have')
})
