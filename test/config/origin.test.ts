import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type HashedFiles, originOf } from '../../src/config/hash-origin.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { ConfigError } from '../../src/config/problems.ts'
import type { Sections } from '../../src/config/sections.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { EXAMPLE, jwksText, sound, tlsFiles, written } from './support.ts'

test('a configuration knows the hash of its text, as sha256sum prints it', async () => {
  const path = await written(sound())
  const { origin } = await loadConfig(path)
  expect(origin).toEqual({ sha256: sha256Hex(await readFile(path)), files: {} })
})

test('a configuration knows the hashes of pinned keys and certificates, and of no file with a secret', async () => {
  const path = await written(EXAMPLE, { ...tlsFiles(), 'cluster-jwks.json': jwksText() })
  const hashOf = async (name: string) => sha256Hex(await readFile(join(dirname(path), name)))
  expect((await loadConfig(path)).origin.files).toEqual({
    'cluster-jwks.json': await hashOf('cluster-jwks.json'),
    'server.pem': await hashOf('server.pem'),
  })
})

test('a configuration with thousands of files knows the hashes of those that a record has room for', () => {
  const issuers = Array.from({ length: 5000 }, (_, i) => [`i${i}`, { jwksFile: `keys-${i}.json` }])
  const files = { hashOf: sha256Hex } as unknown as HashedFiles
  const sections = { issuers, server: undefined } as unknown as Sections
  const origin = originOf('', { sections, files })
  expect(Object.keys(origin.files).length + (origin.omittedFiles ?? 0)).toBe(5000)
  expect(origin.files['keys-0.json']).toBe(sha256Hex('keys-0.json'))
  expect(JSON.stringify(origin).length).toBeLessThan(40 * 1024)
})

test.each(['{"databases":{}}', 'grants: [', '"'])(
  'a configuration that is refused has the hash of its text: %s',
  async text => {
    const path = await written(sound())
    await writeFile(path, text)
    const error: ConfigError = await loadConfig(path).catch(cause => cause)
    expect(error.origin?.sha256).toBe(sha256Hex(text))
  },
)

test('a configuration that cannot be read has none', async () => {
  const error: ConfigError = await loadConfig('/none/jeton.yaml').catch(cause => cause)
  expect([error.name, error.origin]).toEqual(['ConfigError', undefined])
})
