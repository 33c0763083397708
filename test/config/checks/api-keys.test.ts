import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { problemsOf, sound, withApiKeys, written } from '../support.ts'

describe('checkApiKeys', () => {
  test('returns every hash in lower case', async () => {
    const apiKeys = { one: { sha256: 'A'.repeat(64) }, two: { sha256: ['b'.repeat(64), 'C'.repeat(64)] } }
    const config = await loadConfig(await written({ ...sound(), apiKeys }))
    expect(config.apiKeys).toEqual({ one: ['a'.repeat(64)], two: ['b'.repeat(64), 'c'.repeat(64)] })
  })

  test('rejects one key under two names', async () => {
    expect(await problemsOf(withApiKeys({ other: { sha256: '9F86D081'.repeat(8) } }))).toEqual([
      'apiKeys.other.sha256: is also the key of apiKeys.nightly: each name needs a key of its own',
    ])
  })

  test('rejects one key twice under one name', async () => {
    const nightly = { sha256: ['a'.repeat(64), 'A'.repeat(64)] }
    expect(await problemsOf(withApiKeys({ nightly }))).toEqual([
      'apiKeys.nightly.sha256: lists the same key twice: leave one out',
    ])
  })
})
