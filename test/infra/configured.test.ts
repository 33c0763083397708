import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readConfigured } from '../../infra/configured.ts'
import { jetonRoleDocuments } from '../../src/iam/jeton-role.ts'
import { newJwks } from './jwks.ts'
import { CONFIG } from './world.ts'

const JWKS = JSON.stringify(await newJwks())

async function configured(over: object = {}, { config = 'jeton.yaml', configInS3 = '' } = {}) {
  return readConfigured({ folder: await folderWith(over, config), config, configInS3 })
}

const configFile = async () => join(await folderWith({}, 'jeton.yaml'), 'jeton.yaml')

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

describe('refused is a configuration that would not do here what it says', () => {
  test.each([
    ['a table elsewhere', { store: { ...store, region: 'eu-west-1' } }, 'store.region'],
    [
      'a key that lies in the package',
      { store: { ...store, encryption: { keyFile: 'store.key' } } },
      'store.encryption',
    ],
    [
      "a key that is not the stack's",
      { store: { ...store, encryption: { kmsKeyId: '11111111-2222-3333-4444-555555555555' } } },
      'store.encryption.kmsKeyId',
    ],
    ['an audit table elsewhere', { audit: [{ ...table, region: 'eu-west-1' }, stdout] }, 'leave region out'],
    ['two audit tables', { audit: [table, { ...table, table: 'jeton-audit-2' }, stdout] }, 'one table'],
    [
      'an audit log on a disk that goes away',
      { audit: [{ type: 'file', path: 'a.jsonl' }, stdout] },
      'a file on Lambda',
    ],
    ['records that no alarm can see', { audit: [table] }, 'add { type: stdout }'],
  ])('%s', async (_, over, told) => {
    await expect(configured(over)).rejects.toThrow(told)
  })

  test('everything at once', async () => {
    const refused = configured({ store: { ...store, region: 'eu-west-1' }, audit: [table] })
    await expect(refused).rejects.toThrow(/store\.region.*\n.*stdout/)
  })
})

test('the role may call what `jeton iam` prints, with the key of the stack', async () => {
  const { permissions } = await configured()
  const { documents } = await jetonRoleDocuments({ configPath: await configFile(), format: 'cloudformation' })
  const printed = documents.permissions.Statement.map(statement =>
    String(statement.Action).startsWith('kms:')
      ? { ...statement, Resource: [{ 'Fn::Sub': `$\{Key.Arn}` }] }
      : statement,
  )
  expect(permissions).toEqual({ Version: '2012-10-17', Statement: printed })
})

test('a memory store needs no permission, and names nothing', async () => {
  const { permissions, storeTable, auditTable, keyAlias } = await configured({
    store: { type: 'memory' },
    audit: [stdout],
  })
  expect(permissions.Statement.map(({ Action }) => Action)).toEqual(['sts:AssumeRole'])
  expect({ storeTable, auditTable, keyAlias }).toEqual({})
})

describe('the package', () => {
  test('has the configuration and what it names, though names look like patterns', async () => {
    const { cluster, ci } = issuers
    const { patterns, location } = await configured(
      { issuers: { ci, cluster: { ...cluster, jwksFile: 'keys {a,b}*.json' } } },
      { config: 'live/jeton.yaml' },
    )
    expect(location).toBe('live/jeton.yaml')
    expect(patterns.slice(-2)).toEqual(['live/jeton.yaml', String.raw`live/keys \{a,b\}\*.json`])
    expect(patterns).toContain('!dist/lambda/**/*.map')
  })

  test('cannot have what lies outside of the folder', async () => {
    const { cluster, ci } = issuers
    const outside = join(tmpdir(), `jeton-outside-${process.pid}.json`)
    onTestFinished(() => rm(outside, { force: true }))
    await writeFile(outside, JWKS)
    const packaging = configured({ issuers: { ci, cluster: { ...cluster, jwksFile: outside } } })
    await expect(packaging).rejects.toThrow('is not in the folder that is packaged')
  })
})

test('in S3, the role may read the configuration and what lies beside it, and only that', async () => {
  const { permissions, location, patterns } = await configured(
    {},
    { configInS3: 's3://acme/live/jeton.yaml' },
  )
  expect(location).toBe('s3://acme/live/jeton.yaml')
  expect(patterns).not.toContain('jeton.yaml')
  expect(permissions.Statement.at(-1)).toEqual({
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: ['arn:aws:s3:::acme/live/jeton.yaml', 'arn:aws:s3:::acme/live/cluster-jwks.json'],
  })
  await expect(configured({}, { configInS3: 'acme/live/jeton.yaml' })).rejects.toThrow('s3://BUCKET/KEY')
})

test.each([
  's3://acme/*',
  's3://acme/live/jeton?.yaml',
  's3://*/jeton.yaml',
  `s3://acme/\${aws:username}/jeton.yaml`,
])('in S3, %s is refused: in a policy it would be more than one object', async configInS3 => {
  await expect(configured({}, { configInS3 })).rejects.toThrow(`cannot have *, ? or $`)
})

test('in S3, a file of the configuration is refused that would be more than one object', async () => {
  const { cluster, ci } = issuers
  const over = { issuers: { ci, cluster: { ...cluster, jwksFile: 'live/keys {a,b}*.json' } } }
  const packaging = configured(over, { configInS3: 's3://acme/jeton.yaml' })
  await expect(packaging).rejects.toThrow('s3://acme/live/keys {a,b}*.json cannot have')
})
