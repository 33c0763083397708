import type { Clock } from '../lib/clock.ts'
import { isoSeconds } from '../lib/iso-time.ts'
import { getOrCreate } from '../lib/maps.ts'
import type { CaBundles, CaReference } from '../rds/ca-bundles.ts'
import type { Database } from '../rds/database.ts'
import type { Token } from '../tokens/token.ts'
import type { Vended } from '../vending/vend-token.ts'

/** Returns the JSON text of a reply, as `TokenReplySchema` describes it. */
export type RenderTokenReply = (vended: Vended, request: { auditId: string; caPem: boolean }) => string

/** The parts of a reply that are the same for everyone who gets the token. */
interface SharedParts {
  /** A reload replaces it, perhaps with another `connect` or `dbname`. */
  readonly database: Database
  readonly beginning: string
  readonly middle: string
  readonly ca: string
}

/**
 * Creates the renderer of replies. It renders by hand, for speed: most of a reply is the same for everyone with one token, is
 * rendered once, and only a request's own members are put in between. The order of members is fixed: scripts may rely on it.
 */
export function createTokenReplyRenderer({
  caBundles,
  clock,
}: {
  caBundles: CaBundles
  clock: Clock
}): RenderTokenReply {
  const sharedParts = new WeakMap<Token, SharedParts>()
  /** The JSON of each bundle's PEM: they are few, and last for years. */
  const pemJsons = new Map<string, string>()

  function sharedPartsOf({ token, key }: Vended): SharedParts {
    const known = sharedParts.get(token)
    if (known?.database === key.database) return known
    const { text, issuedAt, refreshAfter, expiresAt, fingerprint, identity } = token
    const times = {
      issuedAt: isoSeconds(issuedAt),
      refreshAfter: isoSeconds(refreshAfter),
      expiresAt: isoSeconds(expiresAt),
    }
    const rendered = {
      database: key.database,
      beginning: renderMembers({ token: text, ...endpointReply(key.database), user: key.user, ...times }),
      middle: renderMembers({ fingerprint, identity }),
      ca: JSON.stringify(caReply(caBundles.forDatabase(key.database))),
    }
    sharedParts.set(token, rendered)
    return rendered
  }

  function caWithPem(database: Database): string {
    const { pem, ...ca } = caBundles.forDatabase(database)
    const pemJson = getOrCreate(pemJsons, { key: pem, create: () => JSON.stringify(pem) })
    return `{${renderMembers(ca)},"pem":${pemJson}}`
  }

  return (vended, { auditId, caPem }) => {
    const { token, key, grant, cached } = vended
    const shared = sharedPartsOf(vended)
    const expiresIn = Math.floor((token.expiresAt - clock.now()) / 1000)
    const ca = caPem ? caWithPem(key.database) : shared.ca
    // names of grants need no escaping: the configuration's schema allows nothing that would
    return `{${shared.beginning},"expiresIn":${expiresIn},"cached":${cached},${shared.middle},"grant":"${grant.name}","auditId":"${auditId}","ca":${ca}}`
  }
}

/** Returns the members of an object as JSON, without its braces. */
function renderMembers(object: object): string {
  return JSON.stringify(object).slice(1, -1)
}

/** Returns what a caller must know about a database to connect to it. */
export function endpointReply({ name, engine, host, port, region, dbname, connect }: Database) {
  return {
    database: name,
    engine,
    host,
    port,
    region,
    ...(dbname === undefined ? {} : { dbname }),
    ...(connect === undefined ? {} : { connect: addressText(connect) }),
  }
}

function addressText({ host, port }: NonNullable<Database['connect']>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Returns how to verify a database's certificate, without the PEM itself. */
export function caReply({ pem, ...ca }: CaReference) {
  return ca
}
