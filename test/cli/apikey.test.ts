import { describe, expect, test } from 'vitest'
import { createApiKeyScheme } from '../../src/authentication/api-key.ts'
import { apikeyCommand } from '../../src/cli/apikey.ts'
import { loadConfig } from '../../src/config/load.ts'
import { sound, written } from '../config/support.ts'
import { recordedOutput } from './streams.ts'

function apikey(name: string) {
  const io = recordedOutput()
  const exitCode = apikeyCommand(name, io)
  const [, key = ''] = /: (jeton_\S+)\n/.exec(io.stdout()) ?? []
  return { exitCode, stdout: io.stdout(), stderr: io.stderr(), key }
}

describe('jeton apikey', () => {
  test.each(['nightly-report', '1.10', 'null', 'true', '0123'])(
    'prints a line for %s that loads as configuration and that its key verifies under',
    async name => {
      const { exitCode, stdout, stderr, key } = apikey(name)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      const section = stdout.slice(stdout.indexOf('apiKeys:'))
      expect(section).not.toContain(key)
      const { apiKeys, ...rest } = sound()
      const lines = Object.entries(rest).map(([part, value]) => `${part}: ${JSON.stringify(value)}\n`)
      const { apiKeys: keys } = await loadConfig(await written(section + lines.join('')))
      expect(Object.keys(keys)).toEqual([name])
      const way = createApiKeyScheme({ keys })
      expect(await way.authenticate(key)).toEqual({ issuer: 'apiKey', subject: name, claims: {} })
      await expect(way.authenticate(key.slice(0, -1))).rejects.toMatchObject({ code: 'unauthenticated' })
    },
  )

  test('makes another key each time, and shows it once', () => {
    const [one, two] = [apikey('a'), apikey('a')]
    expect(one.key).toMatch(/^jeton_[\w-]{43}$/)
    expect(two.key).not.toBe(one.key)
    expect(one.stdout.split(one.key)).toHaveLength(2)
  })

  test.each(['', '-x', 'a b', 'a\nb', 'a: {', '__proto__', 'x'.repeat(65)])(
    'makes none for a name that no configuration takes: %j',
    name => {
      expect(apikey(name)).toEqual({
        exitCode: 2,
        stdout: '',
        stderr:
          'jeton: the name of a key has letters, digits, _, . and -, a letter or digit first, 64 at most\n',
        key: '',
      })
    },
  )
})
