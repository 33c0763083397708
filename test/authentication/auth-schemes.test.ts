import { expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { createSchemes } from '../../src/authentication/authenticator.ts'
import { wayInContract } from '../contracts/auth-schemes.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { issuerWorld } from './support.ts'

/** For each scheme, a credential that is good in this world and one that is as well made by somebody else. */
const CREDENTIALS: Record<string, (world: Awaited<ReturnType<typeof start>>) => Promise<[string, string]>> = {
  Bearer: async ({ issuer, clock }) => {
    const stranger = await startIssuer({ now: clock.now })
    await stranger.close()
    return [await issuer.sign(), await stranger.sign({ iss: issuer.url })]
  },
  ApiKey: async ({ apiKey }) => [apiKey.key, newApiKey().key],
}

async function start() {
  const { issuer, clock, keysOf } = await issuerWorld()
  const apiKey = newApiKey()
  const issuers = [{ name: 'ci', issuer: issuer.url, audience: 'jeton', keys: keysOf(issuer.url) }]
  const ways = createSchemes({ issuers, apiKeys: { report: [apiKey.sha256] }, clock })
  return { issuer, clock, apiKey, ways }
}

const schemes = createSchemes({ issuers: [], apiKeys: {}, clock: virtualClock() }).map(way => way.scheme)

test('every way in that is registered is held to the contract', () => {
  expect(Object.keys(CREDENTIALS).sort()).toEqual([...schemes].sort())
})

for (const scheme of schemes)
  wayInContract(scheme, async () => {
    const world = await start()
    const way = world.ways.find(candidate => candidate.scheme === scheme)
    const credentials = await CREDENTIALS[scheme]?.(world)
    if (!way || !credentials) throw new Error(`no credentials for ${scheme}`)
    const [valid, foreign] = credentials
    return { way, valid, foreign }
  })
