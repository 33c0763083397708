import { describe, expect, test } from 'vitest'
import { createApiKeyScheme } from '../../src/authentication/api-key.ts'
import { apikeyCommand } from '../../src/cli/apikey.ts'
import { loadConfig } from '../../src/config/load.ts'
import { sound, written as writtenConfig } from '../config/support.ts'
import { recordStreams } from './record-streams.ts'

function apikey(name: string) {
  const { streams, written } = recordStreams()
  const exitCode = apikeyCommand(name, streams)
  const [, key = ''] = /: (jeton_\S+)\n/.exec(written.stdout) ?? []
  return { exitCode, ...written, key }
}

describe('jeton apikey', () => {
  test.each(['nightly-report', '1.10', 'null', 'true', '0123'])(
    'prints configuration for %s that loads and that the key verifies under',
    async name => {
      const { exitCode, stdout, stderr, key } = apikey(name)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      const section = stdout.slice(stdout.indexOf('apiKeys:'))
      expect(section).not.toContain(key)
      const { apiKeys, ...others } = sound()
      const lines = Object.entries(others).map(([part, value]) => `${part}: ${JSON.stringify(value)}\n`)
      const { apiKeys: keys } = await loadConfig(await writtenConfig(section + lines.join('')))
      expect(Object.keys(keys)).toEqual([name])
      const scheme = createApiKeyScheme({ keys })
      expect(await scheme.authenticate(key)).toEqual({ issuer: 'apiKey', subject: name, claims: {} })
      await expect(scheme.authenticate(key.slice(0, -1))).rejects.toMatchObject({ code: 'unauthenticated' })
    },
  )

  test('creates another key each time, and shows it once', () => {
    const [one, two] = [apikey('a'), apikey('a')]
    expect(one.key).toMatch(/^jeton_[\w-]{43}$/)
    expect(two.key).not.toBe(one.key)
    expect(one.stdout.split(one.key)).toHaveLength(2)
  })

  test.each(['', '-x', 'a b', 'a\nb', 'a: {', '__proto__', 'x'.repeat(65)])(
    'creates no key for a name that no configuration accepts: %j',
    name => {
      expect(apikey(name)).toEqual({
        exitCode: 2,
        stdout: '',
        stderr: expect.stringMatching(/^jeton: the name of a key has letters, digits, .*\n$/),
        key: '',
      })
    },
  )
})
