import type { Clock } from '../lib/clock.ts'
import { isoSeconds } from '../lib/iso-time.ts'
import type { CaBundles } from '../rds/ca-bundles.ts'
import type { Database } from '../rds/database.ts'
import type { Token } from '../tokens/token.ts'
import type { Vended } from '../vending/vend-token.ts'
import { caReply, endpointReply } from './endpoint-reply.ts'

/** Gives the JSON text of a `TokenReply`. */
export type RenderTokenReply = (vended: Vended, own: { auditId: string; caPem: boolean }) => string

/** Of a reply, what is the same for everyone who gets the token. */
interface Shared {
  /** A reload may change what is said of it. */
  readonly database: Database
  readonly beginning: string
  readonly middle: string
  readonly ca: string
}

/**
 * Renders replies by hand, for what everyone with one token gets is most of a reply: it is rendered once for each token,
 * and only what is a request's own is put in between. The order of the members is the contract's.
 */
export function createTokenReply({
  caBundles,
  clock,
}: {
  caBundles: CaBundles
  clock: Clock
}): RenderTokenReply {
  const shared = new WeakMap<Token, Shared>()

  function sharedOf({ token, key }: Vended): Shared {
    const known = shared.get(token)
    if (known?.database === key.database) return known
    const { text, issuedAt, refreshAfter, expiresAt, fingerprint, identity } = token
    const times = {
      issuedAt: isoSeconds(issuedAt),
      refreshAfter: isoSeconds(refreshAfter),
      expiresAt: isoSeconds(expiresAt),
    }
    const rendered = {
      database: key.database,
      beginning: members({ token: text, ...endpointReply(key.database), user: key.user, ...times }),
      middle: members({ fingerprint, identity }),
      ca: JSON.stringify(caReply(caBundles.forDatabase(key.database))),
    }
    shared.set(token, rendered)
    return rendered
  }

  return (vended, { auditId, caPem }) => {
    const { token, key, grant, cached } = vended
    const { beginning, middle, ca } = sharedOf(vended)
    // the names of grants have nothing to escape in them: the configuration's schema says so
    const expiresIn = Math.floor((token.expiresAt - clock.now()) / 1000)
    const verifiedBy = caPem ? JSON.stringify(caReply(caBundles.forDatabase(key.database), { caPem })) : ca
    return `{${beginning},"expiresIn":${expiresIn},"cached":${cached},${middle},"grant":"${grant.name}","auditId":"${auditId}","ca":${verifiedBy}}`
  }
}

/** The members of an object as JSON, without its braces. */
function members(object: object): string {
  return JSON.stringify(object).slice(1, -1)
}
