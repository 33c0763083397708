import { clientFamily } from '../client-family.ts'
import { type Lookup, resolveConnectAddress } from '../connect-address.ts'
import type { JetonServer } from '../jeton-request.ts'
import { requestToken } from '../request-token.ts'
import type { Answer } from './kept-token.ts'
import type { WantedLogin } from './wanted-login.ts'

export interface AskTokensParts {
  server: JetonServer
  lookup: Lookup
}

/**
 * Returns a function that asks a server for the token of a login, and rejects with CallerError. It waits for what may pass with the
 * first question for each login, and not with those that come later, when there is a token to go on with.
 */
export function createAskTokens({ server, lookup }: AskTokensParts): (login: WantedLogin) => Promise<Answer> {
  const asked = new Set<WantedLogin>()
  return async login => {
    const waitMs = asked.has(login) ? 0 : server.waitMs
    asked.add(login)
    const { database, user } = login
    const reply = await requestToken({ database, user, caPem: true }, { ...server, waitMs })
    // an engine that nobody knows here is said at once
    clientFamily(reply)
    return { reply, connectAddress: await resolveConnectAddress(reply, lookup) }
  }
}
