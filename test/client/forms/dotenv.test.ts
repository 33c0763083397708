import { execFileSync } from 'node:child_process'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { environmentChanges } from '../../../src/client/environment.ts'
import { CallerError } from '../../../src/client/errors.ts'
import { dotenvForm } from '../../../src/client/forms/dotenv.ts'
import { externalForm } from '../../../src/client/forms/external.ts'
import { ODD_USERS, sampleLogin } from './logins.ts'

/** What a shell has in its environment after it read the text as a script. */
function sourced(text: string): Record<string, string> {
  const script = 'set -a; eval "$SCRIPT"; unset SCRIPT; env -0'
  const stdout = execFileSync('/bin/sh', ['-c', script], { env: { SCRIPT: text } }).toString()
  const pairs = stdout.split('\0').filter(Boolean)
  return Object.fromEntries(
    pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}

/** Without a backslash at the end. */
const READABLE = ODD_USERS.filter(user => !user.endsWith('\\'))

describe('-o dotenv', () => {
  test.for(READABLE)('is read the same by Node and by a shell for the user %j', user => {
    const login = sampleLogin({ user, dbname: 'shop' }, { caFile: '/ca.pem' })
    const { set } = environmentChanges(login.reply, { caFile: '/ca.pem' })
    const text = dotenvForm.render(login)
    expect(parseEnv(text)).toEqual(set)
    expect(sourced(text)).toMatchObject(set)
  })

  test('is refused for what its readers would read differently, and never read wrongly', () => {
    const odd = fc.string({
      unit: fc.constantFrom("'", '"', '\\', '$', '`', '#', '=', ' ', 'x', 'é'),
      minLength: 1,
    })
    let refused = 0
    fc.assert(
      fc.property(odd, user => {
        const login = sampleLogin({ user }, { caFile: '/ca.pem' })
        try {
          const text = dotenvForm.render(login)
          expect([parseEnv(text).PGUSER, sourced(text).PGUSER]).toEqual([user, user])
        } catch (cause) {
          if (!(cause instanceof CallerError)) throw cause
          refused++
          expect(user).toMatch(/'|\\\\|\\$|\$\{/)
        }
      }),
      { numRuns: 60, examples: [[`'"`], ['a\\'], [`\${x}`]] },
    )
    expect(refused).toBeGreaterThan(0)
  })

  test('is refused for what python-dotenv takes for a variable even between single quotes', () => {
    const login = sampleLogin({ user: `a\${HOME}` }, { caFile: '/ca.pem' })
    expect(() => dotenvForm.render(login)).toThrow(
      'PGUSER cannot be written for all: `jeton token -o env` writes it',
    )
  })
})

describe('-o external', () => {
  test('is one object whose values are all text', () => {
    const connectAddress = { host: 'tunnel.example', address: '192.0.2.7', port: 15432 }
    const login = sampleLogin({ user: 'zoë', later: { more: 1 } }, { caFile: '/ca.pem', connectAddress })
    const values = JSON.parse(externalForm.render(login))
    for (const value of Object.values(values)) expect(value).toBeTypeOf('string')
    expect(values).toMatchObject({
      token: login.reply.token,
      port: '5432',
      user: 'zoë',
      connectPort: '15432',
      caFile: '/ca.pem',
      caPem: login.reply.ca?.pem,
    })
    expect(values).not.toHaveProperty('dbname')
  })
})
