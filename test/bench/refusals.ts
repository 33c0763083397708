import { newApiKey } from '../../src/authentication/api-key.ts'
import { CLAIMS } from '../support/service/test-environment.ts'
import { type BenchedService, cachedVendLoad, startBenchedService } from './benched-service.ts'
import { compareServers } from './compare-servers.ts'
import { findCores } from './cores.ts'
import { ensureWrk, type Load } from './load.ts'
import type { Plan } from './pairs.ts'

/** What a refused request differs in from a cached vend. */
interface Refusal {
  readonly status: number
  readonly code: string
  readonly headers?: NonNullable<Load['headers']>
  readonly body?: string
  readonly path?: string
}

interface RefusalKind {
  readonly name: string
  /** The most server CPU that it may cost, as a multiple of a cached vend; none is promised unless given. */
  readonly maxRatio?: number
  /** Returns what is asked for. Called before each load. */
  readonly refusalOf: (service: BenchedService) => Promise<Refusal>
}

/** Failures to authenticate after which an address gets 429 for a minute. */
const MAX_FAILURES = 100
/** The credential is refused, and not its sender, of whom there are many. */
const FROM_ANYWHERE = { 'x-forwarded-for': '{address}' }
const UNKNOWN_KEY = `ApiKey ${newApiKey().key}`

export const UNKNOWN_KEY_401: RefusalKind = {
  name: '401 to an unknown API key, counted as a flood',
  maxRatio: 1,
  refusalOf: async () => unauthenticated(UNKNOWN_KEY),
}

/** No promise: the signature is verified first, which alone takes longer than a vend. */
export const EXPIRED_401: RefusalKind = {
  name: '401 to JWTs that have expired (ES256, verified first: no promise)',
  refusalOf: async service => bearer(await signJwts(service, -600)),
}

export const FORGED_401: RefusalKind = {
  name: '401 to JWTs whose signature does not verify (ES256, verified first: no promise)',
  async refusalOf(service) {
    const forged = Buffer.alloc(64, 1).toString('base64url')
    return bearer((await signJwts(service, 600)).map(jwt => jwt.slice(0, jwt.lastIndexOf('.') + 1) + forged))
  },
}

export const DENIED_403: RefusalKind = {
  name: '403 to a JWT without a grant for the database, counted as a flood',
  maxRatio: 1,
  refusalOf: async () => ({ status: 403, code: 'access_denied', body: '{"database":"ledger"}' }),
}

export const INVALID_400: RefusalKind = {
  name: '400 to a body that breaks the schema, counted as a flood',
  maxRatio: 1,
  refusalOf: async () => ({ status: 400, code: 'invalid_request', body: '{"database":42}' }),
}

export const UNKNOWN_PATH_404: RefusalKind = {
  name: '404 to a path that is not there',
  maxRatio: 1,
  refusalOf: async () => ({ status: 404, code: 'not_found', path: '/v1/nothing' }),
}

export const RATE_LIMITED_429: RefusalKind = {
  name: '429 to an address with too many failures, counted as a flood',
  maxRatio: 1,
  async refusalOf({ jeton }) {
    // a new one each time, or its minute could end while it is measured
    const address = `192.0.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}`
    const headers = { authorization: UNKNOWN_KEY, 'x-forwarded-for': address }
    for (let failure = 0; failure < MAX_FAILURES; failure++)
      await (await fetch(`${jeton.url}/v1/databases`, { headers })).text()
    return { status: 429, code: 'rate_limited', headers }
  },
}

/**
 * Returns a benchmark of a refusal beside a cached vend of the same server, its record on disk. Of refusals as quick as these, the
 * first of each minute are written and all others counted, as in any flood.
 */
export function refusal({ name, maxRatio, refusalOf }: RefusalKind) {
  return async (plan: Plan): Promise<void> => {
    await ensureWrk()
    const cores = await findCores()
    const [key, grants] = [newApiKey(), [ORDERS_GRANT]]
    const service = await startBenchedService({
      cores,
      sections: { server: { behindProxy: 1 }, apiKeys: { deployer: { sha256: key.sha256 } }, grants },
    })
    try {
      const vend = (await cachedVendLoad(service)).load
      await compareServers(
        {
          what: `${name}, over a cached vend`,
          subject: {
            name: name.slice(0, 3),
            pid: service.pid,
            load: async () => loadOf(await refusalOf(service), { vend, url: service.jeton.url }),
          },
          base: { name: 'cached vend', pid: service.pid, load: async () => vend },
          ...(maxRatio !== undefined && { maxRatio }),
        },
        { plan, cores },
      )
    } finally {
      await service.close()
    }
  }
}

const ORDERS_GRANT = {
  name: 'orders-deploy',
  principal: { issuer: 'ci', claims: CLAIMS },
  database: 'orders',
  users: ['migrator'],
}

/** Returns JWTs of as many callers that those that are on their way are different: of one JWT, they share a verification. */
function signJwts({ environment }: BenchedService, expiresInSeconds: number): Promise<string[]> {
  const callers = Array.from({ length: 256 }, (_, i) => ({ ...CLAIMS, sub: `caller-${i}` }))
  return Promise.all(callers.map(claims => environment.issuer.sign(claims, { expiresInSeconds })))
}

const bearer = (jwts: readonly string[]) => unauthenticated(jwts.map(jwt => `Bearer ${jwt}`))

function unauthenticated(authorization: string | readonly string[]): Refusal {
  return { status: 401, code: 'unauthenticated', headers: { ...FROM_ANYWHERE, authorization } }
}

function loadOf(
  { status, code, headers, body, path }: Refusal,
  { vend, url }: { vend: Load; url: string },
): Load {
  return {
    ...vend,
    status,
    expected: `"code":"${code}"`,
    headers: { ...vend.headers, ...headers },
    ...(path !== undefined && { url: url + path }),
    ...(body !== undefined && { body }),
  }
}
