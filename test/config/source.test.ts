import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { loadConfig, loadFrom } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { openConfigSource } from '../../src/config/source/open-source.ts'
import { type S3, startS3 } from '../support/aws/s3.ts'
import { sound } from './support.ts'

const KEYS = JSON.stringify({
  keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), kid: '1', alg: 'EdDSA' }],
})
const pinned = () => {
  const config = sound()
  return { ...config, issuers: { ...config.issuers, own: { ...config.issuers.own, jwksFile: 'keys.json' } } }
}

describe('a file', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'source-'))
    onTestFinished(() => rm(folder, { recursive: true }))
  })
  const put = (name: string, text: string) => writeFile(join(folder, name), text)

  test('has changed when it is another, or gone; nothing else has', async () => {
    await put('jeton.json', JSON.stringify(sound()))
    const source = openConfigSource(join(folder, 'jeton.json'))
    await loadFrom(source)
    expect(await source.hasChanged()).toBe(false)
    await put('other.json', '{}')
    expect(await source.hasChanged()).toBe(false)
    await utimes(join(folder, 'jeton.json'), 1, 1)
    expect(await source.hasChanged()).toBe(true)
    await loadFrom(source)
    expect(await source.hasChanged()).toBe(false)
    await rm(join(folder, 'jeton.json'))
    expect(await source.hasChanged()).toBe(true)
    await expect(loadFrom(source)).rejects.toThrow('cannot be read (ENOENT)')
    expect(await source.hasChanged()).toBe(false)
  })

  test('has changed when one that it names has', async () => {
    await put('jeton.json', JSON.stringify(pinned()))
    const source = openConfigSource(join(folder, 'jeton.json'))
    await expect(loadFrom(source)).rejects.toThrow(
      'issuers.own.jwksFile: names a file that cannot be read (ENOENT)',
    )
    expect(await source.hasChanged()).toBe(false)
    await put('keys.json', KEYS)
    expect(await source.hasChanged()).toBe(true)
    await loadFrom(source)
    expect(await source.hasChanged()).toBe(false)
    await put('keys.json', `${KEYS}\n`)
    expect(await source.hasChanged()).toBe(true)
  })
})

describe('an object in S3', () => {
  let s3: S3
  beforeEach(async () => {
    s3 = await startS3()
    const env = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'any' }
    for (const [name, value] of Object.entries({ ...env, ...s3.environment() })) vi.stubEnv(name, value)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await s3.close()
  })

  test('is read, with what lies beside it', async () => {
    s3.put('conf/team/a b+c.yaml', JSON.stringify(pinned()))
    s3.put('conf/team/keys.json', KEYS)
    const { issuers } = await loadConfig('s3://conf/team/a b+c.yaml')
    expect(issuers[1]?.jwks?.keys).toHaveLength(1)
    expect(s3.calls).toEqual(['GET conf/team/a b+c.yaml', 'GET conf/team/keys.json'])
  })

  test.each([
    ['../keys.json', 'keys.json'],
    ['../../../keys.json', 'keys.json'],
    ['/top/keys.json', 'top/keys.json'],
    ['deep/./keys.json', 'team/deep/keys.json'],
  ])('names %s, which is %s of the same bucket', async (jwksFile, key) => {
    const config = pinned()
    config.issuers.own.jwksFile = jwksFile
    s3.put('conf/team/jeton.yaml', JSON.stringify(config))
    s3.put(`conf/${key}`, KEYS)
    await expect(loadConfig('s3://conf/team/jeton.yaml')).resolves.toBeDefined()
  })

  test('has changed when it, or what it names, is another or gone, and is not fetched to tell that', async () => {
    s3.put('conf/jeton.json', JSON.stringify(pinned()))
    s3.put('conf/keys.json', KEYS)
    const source = openConfigSource('s3://conf/jeton.json')
    await loadFrom(source)
    s3.calls.length = 0
    expect(await source.hasChanged()).toBe(false)
    expect(s3.calls.sort()).toEqual(['HEAD conf/jeton.json', 'HEAD conf/keys.json'])
    s3.put('conf/keys.json', `${KEYS} `)
    expect(await source.hasChanged()).toBe(true)
    await loadFrom(source)
    s3.remove('conf/jeton.json')
    expect(await source.hasChanged()).toBe(true)
  })

  test('that cannot be asked for rejects, and then it has not changed', async () => {
    s3.put('conf/jeton.json', JSON.stringify(sound()))
    const source = openConfigSource('s3://conf/jeton.json')
    await loadFrom(source)
    s3.faults.gone = true
    await expect(source.hasChanged()).rejects.toThrow(/ECONNRESET|TimeoutError/)
    s3.faults.gone = false
    expect(await source.hasChanged()).toBe(false)
  })

  test('that was read only half is read again', async () => {
    s3.put('conf/jeton.json', JSON.stringify(sound()))
    const source = openConfigSource('s3://conf/jeton.json')
    s3.faults.denied = true
    await expect(loadFrom(source)).rejects.toThrow('s3://conf/jeton.json cannot be read (AccessDenied (403))')
    s3.faults.denied = false
    expect(await source.hasChanged()).toBe(true)
  })

  test('fails without what S3 said, which may be anything', async () => {
    const cause = await loadConfig('s3://conf/missing.json').catch((thrown: unknown) => thrown)
    expect(cause).toBeInstanceOf(ConfigError)
    expect(String(cause)).not.toContain('s3cret')
  })

  test.each(['s3://', 's3://bucket', 's3://bucket/', 's3:///key', 's3://bucket/folder/'])(
    '%s names none',
    async url => {
      await expect(loadConfig(url)).rejects.toThrow('s3://BUCKET/KEY')
    },
  )
})
