import { describe, expect, test } from 'vitest'
import { findCredential } from '../../src/client/credential.ts'
import { type CredentialEnvironment, withholdCredentials } from '../../src/client/credential-variables.ts'
import { createNodeSend } from '../../src/client/node-http.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { someJwt } from '../support/service/api-stub.ts'

/** Returns the variables that `findCredential` reads of an environment that has all of these. */
function readOf(env: Record<string, string>): string[] {
  const names = new Set<string>()
  const observed = new Proxy(env, {
    get(target, name) {
      names.add(String(name))
      return target[String(name)]
    },
  })
  const network = { send: createNodeSend(), clock: virtualClock() }
  findCredential({ env: observed, stdin: (async function* () {})() }, network)
  return [...names]
}

describe('withholdCredentials', () => {
  test.each<[string, Record<string, string>]>([
    ['a JWT', { JETON_JWT: someJwt() }],
    ['a file', { JETON_JWT_FILE: '/var/run/secrets/jeton/token' }],
    ['an API key', { JETON_API_KEY: 'jeton_key' }],
    [
      'GitHub Actions',
      {
        ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.example',
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'a-request-token',
      },
    ],
  ])('leaves nothing of %s to find the credential by', (_name, env) => {
    expect(readOf(env)).toEqual(expect.arrayContaining(Object.keys(env)))
    expect(() => readOf({ ...withholdCredentials(env) } as Record<string, string>)).toThrow('no credential')
  })

  test('leaves no other variable with the same value, and all the rest', () => {
    const [jwt, key] = [someJwt(), 'jeton_key']
    const kept = { PATH: '/bin', EMPTY: '', JETON_URL: 'https://jeton.example', JETON_AUDIENCE: 'jeton' }
    const env = {
      ...kept,
      JETON_JWT: jwt,
      CI_JOB_JETON_TOKEN: `${jwt}\n`,
      JETON_API_KEY: key,
      NPM_CONFIG_KEY: key,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runtime',
      // GitHub's runner gives it the same value
      ACTIONS_RUNTIME_TOKEN: 'runtime',
    }
    expect(withholdCredentials(env)).toEqual(kept)
  })

  test('a way to find a credential reads no variable that is not listed', () => {
    const env: CredentialEnvironment = {}
    // @ts-expect-error a variable has to be listed before it is read, so that it is withheld
    expect(env.JETON_OTHER_JWT).toBeUndefined()
  })
})
