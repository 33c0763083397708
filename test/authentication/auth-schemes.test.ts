import { expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { createSchemes } from '../../src/authentication/authenticator.ts'
import { testAuthScheme } from '../contracts/auth-schemes.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { startTestIssuer } from './support.ts'

type Callers = Awaited<ReturnType<typeof startCallers>>

/** For each scheme, a credential that is valid and one that is as well made by somebody else. */
const CREDENTIALS: Record<string, (callers: Callers) => Promise<[string, string]>> = {
  Bearer: async ({ issuer, clock }) => {
    const foreignIssuer = await startIssuer({ now: clock.now })
    await foreignIssuer.close()
    return [await issuer.sign(), await foreignIssuer.sign({ iss: issuer.url })]
  },
  ApiKey: async ({ apiKey }) => [apiKey.key, newApiKey().key],
}

async function startCallers() {
  const { issuer, clock, keysOf } = await startTestIssuer()
  const apiKey = newApiKey()
  const issuers = [{ name: 'ci', issuer: issuer.url, audience: 'jeton', keys: keysOf(issuer.url) }]
  const schemes = createSchemes({ issuers, apiKeys: { report: [apiKey.sha256] }, clock })
  return { issuer, clock, apiKey, schemes }
}

const names = createSchemes({ issuers: [], apiKeys: {}, clock: virtualClock() }).map(({ scheme }) => scheme)

test('every scheme of createSchemes passes the suite', () => {
  expect(Object.keys(CREDENTIALS).sort()).toEqual([...names].sort())
})

for (const name of names)
  testAuthScheme(name, async () => {
    const callers = await startCallers()
    const scheme = callers.schemes.find(candidate => candidate.scheme === name)
    const credentials = await CREDENTIALS[name]?.(callers)
    if (!scheme || !credentials) throw new Error(`the suite has no credentials for ${name}`)
    const [valid, foreign] = credentials
    return { scheme, valid, foreign }
  })
