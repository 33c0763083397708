import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { loadConfig, loadFrom } from '../../../src/config/load.ts'
import { ConfigError } from '../../../src/config/problems.ts'
import { openConfigSource } from '../../../src/config/source/open-source.ts'
import { UsageError } from '../../../src/errors.ts'
import { BUCKET_OWNER, type S3, startS3 } from '../../support/aws/s3.ts'
import { stubEnvironment } from '../../support/aws/stub-environment.ts'
import { jwksText, sound, withKeyFile } from '../support.ts'

const OWNER = `?owner=${BUCKET_OWNER}`

describe('an object in S3 as a configuration source', () => {
  const keys = jwksText()
  let s3: S3
  beforeEach(async () => {
    s3 = await startS3()
    const env = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'any' }
    stubEnvironment({ ...env, ...s3.environment() })
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await s3.close()
  })

  test('is read with the files that it names', async () => {
    s3.put('conf/team/a b+c.yaml', JSON.stringify(withKeyFile('keys.json')))
    s3.put('conf/team/keys.json', keys)
    const { issuers } = await loadConfig(`s3://conf/team/a b+c.yaml${OWNER}`)
    expect(issuers[1]?.jwks?.keys).toHaveLength(1)
    expect(s3.calls).toEqual(['GET conf/team/a b+c.yaml', 'GET conf/team/keys.json'])
  })

  test('has problems with its URL and place, those of a file that it names too', async () => {
    s3.put('conf/team/jeton.json', JSON.stringify(withKeyFile('gone.json'), null, 2))
    const failure = await loadConfig(`s3://conf/team/jeton.json${OWNER}`).catch((cause: unknown) => cause)
    expect(failure).toMatchObject({
      problems: [{ path: 'issuers.own.jwksFile', file: 's3://conf/team/jeton.json', line: 11, column: 19 }],
    })
  })

  test.each([
    ['../keys.json', 'keys.json'],
    ['../../../keys.json', 'keys.json'],
    ['/top/keys.json', 'top/keys.json'],
    ['deep/./keys.json', 'team/deep/keys.json'],
  ])('resolves %s to %s in the same bucket', async (jwksFile, key) => {
    s3.put('conf/team/jeton.yaml', JSON.stringify(withKeyFile(jwksFile)))
    s3.put(`conf/${key}`, keys)
    await expect(loadConfig(`s3://conf/team/jeton.yaml${OWNER}`)).resolves.toBeDefined()
  })

  test('has changed if it or a file that it names has another version or is gone, and is not fetched to find out', async () => {
    s3.put('conf/jeton.json', JSON.stringify(withKeyFile('keys.json')))
    s3.put('conf/keys.json', keys)
    const source = openConfigSource(`s3://conf/jeton.json${OWNER}`)
    await loadFrom(source)
    s3.calls.length = 0
    expect(await source.hasChanged()).toBe(false)
    expect(s3.calls.sort()).toEqual(['HEAD conf/jeton.json', 'HEAD conf/keys.json'])
    s3.put('conf/keys.json', `${keys} `)
    expect(await source.hasChanged()).toBe(true)
    await loadFrom(source)
    s3.remove('conf/jeton.json')
    expect(await source.hasChanged()).toBe(true)
  })

  test('rejects if S3 does not answer, and has not changed once it does', async () => {
    s3.put('conf/jeton.json', JSON.stringify(sound()))
    const source = openConfigSource(`s3://conf/jeton.json${OWNER}`)
    await loadFrom(source)
    s3.faults.gone = true
    await expect(source.hasChanged()).rejects.toThrow(/ECONNRESET|TimeoutError/)
    s3.faults.gone = false
    expect(await source.hasChanged()).toBe(false)
  })

  test('has changed if it could not be read before', async () => {
    s3.put('conf/jeton.json', JSON.stringify(sound()))
    const source = openConfigSource(`s3://conf/jeton.json${OWNER}`)
    s3.faults.denied = true
    await expect(loadFrom(source)).rejects.toThrow(
      's3://conf/jeton.json:1:1: cannot be read (AccessDenied (403); jeton',
    )
    s3.faults.denied = false
    expect(await source.hasChanged()).toBe(true)
  })

  test('fails without quoting what S3 answers', async () => {
    const cause = await loadConfig(`s3://conf/missing.json${OWNER}`).catch((thrown: unknown) => thrown)
    expect(cause).toBeInstanceOf(ConfigError)
    expect(String(cause)).not.toContain('s3cret')
  })

  test('is not what a variable that names no proxy is wrong with', async () => {
    vi.stubEnv('HTTPS_PROXY', 'socks5://user:s3cret@proxy.example.com')
    const reading = loadConfig(`s3://conf/jeton.json${OWNER}`)
    await expect(reading).rejects.toThrow(UsageError)
    await expect(reading).rejects.toThrow(/^HTTPS_PROXY must be the URL of an HTTP proxy/)
  })

  test('is not read, nor checked for changes, in a bucket of another account', async () => {
    s3.put('conf/jeton.json', JSON.stringify(withKeyFile('keys.json')))
    s3.put('conf/keys.json', keys)
    const source = openConfigSource(`s3://conf/jeton.json${OWNER}`)
    await loadFrom(source)
    // the bucket was deleted, and somebody else has made one of that name
    s3.faults.owner = '666666666666'
    expect(await source.hasChanged()).toBe(true)
    const reading = loadFrom(source)
    await expect(reading).rejects.toThrow(
      's3://conf/jeton.json:1:1: cannot be read (AccessDenied (403); jeton',
    )
    expect(s3.owners).toEqual(s3.calls.map(() => BUCKET_OWNER))
  })

  test('rejects a URL that does not say who owns the bucket', async () => {
    await expect(loadConfig('s3://bucket/key')).rejects.toThrow(
      "s3://bucket/key must say which account owns the bucket, so that no other's is read: s3://bucket/key?owner=123456789012",
    )
    expect(s3.calls).toEqual([])
  })

  test.each([
    '?owner=',
    '?owner=12345678901',
    '?owner=1234567890123',
    '?owner=1234-5678-9012',
    '?owner=123456789012 ',
    '? owner=123456789012',
    '?Owner=123456789012',
    '?owner=123456789012&versionId=7',
    '?versionId=7&owner=123456789012',
    '?owner=123456789012#top',
    '?owner=666666666666?owner=123456789012',
  ])('rejects the URL s3://bucket/key%s, and says how it must end', async end => {
    await expect(loadConfig(`s3://bucket/key${end}`)).rejects.toThrow(
      `s3://bucket/key${end} must end in ?owner= and the 12 digits of the account that owns the bucket, once`,
    )
    expect(s3.calls).toEqual([])
  })

  test('may have a question mark in its key', async () => {
    s3.put('conf/which?.json', JSON.stringify(sound()))
    await expect(loadConfig(`s3://conf/which?.json${OWNER}`)).resolves.toBeDefined()
  })

  test.each(['s3://', 's3://bucket', 's3://bucket/', 's3:///key', 's3://bucket/folder/'])(
    'rejects the URL %s',
    async url => {
      await expect(loadConfig(url)).rejects.toThrow('s3://BUCKET/KEY?owner=ACCOUNT')
    },
  )
})
