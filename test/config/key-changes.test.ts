import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Config, EncryptionConfig } from '../../src/config/config.ts'
import { keyChanges } from '../../src/config/key-changes.ts'

const CONFIG: Pick<Config, 'server' | 'store' | 'audit'> = {
  server: { host: '127.0.0.1', port: 8080 },
  store: { type: 'memory' },
  audit: [{ type: 'stdout' }],
}
const store = (encryption: EncryptionConfig): typeof CONFIG => ({
  ...CONFIG,
  store: { type: 'dynamodb', table: 'jeton', encryption },
})
const newKeys = () => ({ type: 'files', keys: [createSecretKey(randomBytes(32))] }) as const

describe('keyChanges', () => {
  test('names each key by its path in the file, with what it was and is', () => {
    const after: typeof CONFIG = {
      ...CONFIG,
      server: { host: '127.0.0.1', port: 9090, admin: { host: '127.0.0.1', port: 9464 } },
      audit: [{ type: 'stdout' }, { type: 'file', path: '/var/log/jeton.jsonl' }],
    }
    expect(keyChanges(CONFIG, after)).toEqual([
      { section: 'server', key: 'server.port', from: 8080, to: 9090 },
      { section: 'server', key: 'server.admin.host', to: '127.0.0.1' },
      { section: 'server', key: 'server.admin.port', to: 9464 },
      { section: 'audit', key: 'audit[1].type', to: 'file' },
      { section: 'audit', key: 'audit[1].path', to: '/var/log/jeton.jsonl' },
    ])
    expect(keyChanges(after, CONFIG).map(({ key, from }) => [key, from])).toEqual([
      ['server.port', 9090],
      ['server.admin.host', '127.0.0.1'],
      ['server.admin.port', 9464],
      ['audit[1].type', 'file'],
      ['audit[1].path', '/var/log/jeton.jsonl'],
    ])
  })

  test('takes a key that is not set for the same as one that is missing', () => {
    const server = { ...CONFIG.server, admin: undefined, tls: undefined, connections: undefined }
    expect(keyChanges(CONFIG, { ...CONFIG, server })).toEqual([])
  })

  test('shows nothing of a certificate, its key, or the keys of the store', () => {
    const tls = { cert: 'PEM of a certificate', key: 'PEM of a key' }
    const encrypted = store(newKeys())
    const changes = keyChanges(encrypted, { ...store(newKeys()), server: { ...CONFIG.server, tls } })
    expect(changes).toEqual([
      { section: 'server', key: 'server.tls' },
      { section: 'store', key: 'store.encryption.keyFile' },
    ])
    expect(keyChanges(encrypted, { ...encrypted })).toEqual([])
  })

  test('names the keys of the file for another kind of encryption', () => {
    const changes = keyChanges(store({ type: 'kms', kmsKeyId: 'alias/jeton' }), store(newKeys()))
    expect(changes).toEqual([
      { section: 'store', key: 'store.encryption.kmsKeyId', from: 'alias/jeton' },
      { section: 'store', key: 'store.encryption.keyFile' },
    ])
  })
})
