import { createSecretKey, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { loadConfig, loadStaticConfig } from '../../../src/config/load.ts'
import { problemsOf, sound, withStore, written } from '../support.ts'

const KMS = { kmsKeyId: 'alias/jeton' }
const dynamodb = (members: object = {}) => ({ type: 'dynamodb', table: 'jeton', encryption: KMS, ...members })
const newKey = () => randomBytes(32).toString('base64')
const UUID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const NO_KEY_ID =
  'store.encryption.kmsKeyId: is not a KMS key: use its id, its ARN, alias/NAME or the ARN of an alias'
const NO_KEY =
  'store.encryption.keyFile: names a file that does not contain a key: it must contain exactly 32 bytes in base64 (openssl rand -base64 32)'

describe('checkStore', () => {
  test('returns a memory store by default', async () => {
    expect((await loadConfig(await written(sound()))).store).toEqual({ type: 'memory' })
  })

  test.each([
    [{ type: 'memory', table: 'jeton' }, 'store.table: is only allowed with type: dynamodb'],
    [{ type: 'memory', region: 'us-east-1' }, 'store.region: is only allowed with type: dynamodb'],
    [{ type: 'memory', encryption: KMS }, 'store.encryption: is only allowed with type: dynamodb'],
    [dynamodb({ table: undefined }), 'store.table: is required with type: dynamodb'],
    [
      dynamodb({ table: 'arn:aws:dynamodb:us-east-1:123456789012:table/jeton' }),
      'store.table: must be the name of a table, not its ARN: 3 to 255 letters, digits, _, . and -',
    ],
    [dynamodb({ region: 'us-east' }), 'store.region: is not an AWS region, such as us-east-1'],
    [
      dynamodb({ encryption: undefined }),
      'store.encryption: is required with type: dynamodb: set kmsKeyId or keyFile',
    ],
    [
      dynamodb({ encryption: {} }),
      'store.encryption: is required with type: dynamodb: set kmsKeyId or keyFile',
    ],
    [
      dynamodb({ encryption: { ...KMS, keyFile: 'store.key' } }),
      'store.encryption: has both kmsKeyId and keyFile: keep only one of them',
    ],
    [dynamodb({ encryption: { keyFile: [] } }), 'store.encryption.keyFile: must not be empty'],
    [
      dynamodb({ encryption: { kmsKeyId: 'alias/aws/dynamodb' } }),
      'store.encryption.kmsKeyId: is a key that AWS manages for its own services: use a customer managed key',
    ],
    [dynamodb({ encryption: { plaintext: true } }), /^store\.encryption\.plaintext: unknown key/],
  ])('rejects %j', async (store, problem) => {
    const problems = await problemsOf(withStore(store))
    expect(problems[0]).toEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem))
    expect(problems.slice(1)).toEqual(typeof problem === 'string' ? [] : [expect.anything()])
  })

  test('reports every problem at once', async () => {
    expect(
      await problemsOf(withStore({ type: 'dynamodb', region: 'moon', encryption: { kmsKeyId: 'x' } })),
    ).toEqual([
      'store.table: is required with type: dynamodb',
      'store.region: is not an AWS region, such as us-east-1',
      NO_KEY_ID,
    ])
  })

  test.each([
    UUID,
    `mrk-${'0a'.repeat(16)}`,
    'alias/jeton',
    'alias/team/jeton_2',
    `arn:aws:kms:us-east-1:123456789012:key/${UUID}`,
    'arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/jeton',
  ])('accepts the KMS key %s', async kmsKeyId => {
    const { store } = await loadConfig(
      await written({ ...sound(), store: dynamodb({ encryption: { kmsKeyId } }) }),
    )
    expect(store).toEqual({ type: 'dynamodb', table: 'jeton', encryption: { type: 'kms', kmsKeyId } })
  })

  test.each([
    'jeton',
    'alias/',
    'alias/a b',
    `${UUID}0`,
    `arn:aws:kms:us-east-1:123:key/${UUID}`,
    'arn:aws:s3:::x',
  ])('rejects the KMS key %s', async kmsKeyId => {
    expect(await problemsOf(withStore(dynamodb({ encryption: { kmsKeyId } })))).toEqual([NO_KEY_ID])
  })
})

describe('checkStore on the region of a KMS key', () => {
  const ofArn = (region: string, members: object = {}, partition = 'aws') =>
    withStore(
      dynamodb({
        encryption: { kmsKeyId: `arn:${partition}:kms:${region}:123456789012:key/${UUID}` },
        ...members,
      }),
    )

  test('rejects one that is not where KMS is called', async () => {
    expect(await problemsOf(ofArn('eu-west-1', { region: 'us-east-1' }))).toEqual([
      'store.encryption.kmsKeyId: is a key in eu-west-1, but store.region is us-east-1, where KMS is called: use a key of that region',
    ])
    expect(await problemsOf(ofArn('eu-west-1', { region: 'eu-west-1' }))).toEqual([])
    expect(await problemsOf(ofArn('eu-west-1'))).toEqual([])
  })

  test('rejects one that its partition does not have', async () => {
    expect(await problemsOf(ofArn('cn-north-1'))).toEqual([
      'store.encryption.kmsKeyId: has the region cn-north-1, which is in partition aws-cn, not in aws',
    ])
    expect(await problemsOf(ofArn('mars'))).toEqual([
      'store.encryption.kmsKeyId: has mars in the place of its region: use the ARN that KMS shows',
    ])
    expect(await problemsOf(ofArn('cn-north-1', {}, 'aws-cn'))).toEqual([])
  })
})

describe('checkStore with keys in files', () => {
  const keyFile = (keyFile: string | string[]) => withStore(dynamodb({ encryption: { keyFile } }))

  test('reads them in their order, relative to the configuration', async () => {
    const [first, second] = [newKey(), newKey()]
    const store = dynamodb({ region: 'eu-west-1', encryption: { keyFile: ['a.key', 'b.key'] } })
    const path = await written({ ...sound(), store }, { 'a.key': `\n ${first}\r\n`, 'b.key': second })
    const loaded = (await loadConfig(path)).store
    const keys = [first, second].map(key => createSecretKey(key, 'base64'))
    expect(loaded).toEqual({
      type: 'dynamodb',
      table: 'jeton',
      region: 'eu-west-1',
      encryption: { type: 'files', keys },
    })
    // toEqual does not compare what key objects contain
    const loadedKeys =
      loaded.type === 'dynamodb' && loaded.encryption.type === 'files' ? loaded.encryption.keys : []
    expect(loadedKeys.map((key, i) => keys[i]?.equals(key))).toEqual([true, true])
    for (const shown of [JSON.stringify(loaded), inspect(loaded, { depth: null, showHidden: true })])
      expect(shown).not.toContain(first.slice(0, 20))
  })

  test.each([
    ['too short', randomBytes(31).toString('base64')],
    ['too long', randomBytes(33).toString('base64')],
    ['hex', randomBytes(32).toString('hex')],
    ['base64url', `${'-_'.repeat(21)}A=`],
    ['unpadded', newKey().slice(0, -1)],
    ['two of them', `${newKey()}\n${newKey()}`],
    ['nothing', ''],
  ])('rejects a key that is %s, and does not quote it', async (_, text) => {
    const problems = await problemsOf(keyFile('store.key'), { 'store.key': text })
    expect(problems).toEqual([NO_KEY])
  })

  test('names the position of a missing, doubled or broken key', async () => {
    const key = newKey()
    expect(await problemsOf(keyFile(['a', 'none', 'b', 'c']), { a: key, b: `${key}\n`, c: 'x' })).toEqual([
      expect.stringMatching(/^store\.encryption\.keyFile\[1\]: names a file that cannot be read \(ENOENT\)/),
      'store.encryption.keyFile[2]: is the same key as keyFile[0]: leave one of them out',
      NO_KEY.replace('keyFile', 'keyFile[3]'),
    ])
  })

  test('does not quote a key in the place of its path', async () => {
    const key = newKey()
    const problems = await problemsOf(keyFile(key))
    expect(problems).toHaveLength(1)
    expect(problems.join()).not.toContain(key.slice(0, 10))
  })

  test('loadStaticConfig does not read them', async () => {
    const path = await written({ ...sound(), store: dynamodb({ encryption: { keyFile: 'none' } }) })
    await expect(loadStaticConfig(path)).resolves.toBeDefined()
  })
})
