import { requestJeton } from '../client/jeton-request.ts'
import { callerNameOf } from '../client/proxy/login/caller-name.ts'
import { PROTOCOLS } from '../client/proxy/protocols.ts'
import type { ProxyParts } from '../client/proxy/proxy.ts'
import { requestToken } from '../client/request-token.ts'
import type { Wait } from '../client/retry.ts'
import { isWhoamiReply } from '../client/whoami-reply.ts'
import { type Clock, monotonicClock } from '../lib/clock.ts'
import { waitAtMost } from '../lib/deadline.ts'
import { createLogThrottle } from '../lib/log-throttle.ts'
import { type Log, nameAndStack } from '../telemetry/log.ts'
import type { LookUpAll } from './doctor/target.ts'
import { type CallerContext, findServer, type ServerArguments } from './token-options.ts'

/** What a proxy uses of its process and of the network. */
export interface ProxyContext extends Omit<CallerContext, 'clock'> {
  clock: Clock
  lookUpAll: LookUpAll
}

/** What a proxy is started with, whichever command does. */
export interface FoundProxyParts {
  parts: ProxyParts
  /** Returns what the caller is called by the server, as databases take names, or a name of jeton's. Never rejects. */
  findCallerName(): Promise<string>
}

/** For jeton, and while RDS throttles logins. */
export const DEFAULT_WAIT_SECONDS = 10
export const DEFAULT_MAX_CONNECTIONS = 1000
/** A name in lists is not worth waiting for. */
const MAX_NAME_MS = 3000

/**
 * Finds the server and the credential that the arguments and the environment name. What is waited for goes to the log. Throws
 * CallerError.
 */
export async function findProxyParts(
  args: ServerArguments,
  { context, log }: { context: ProxyContext; log: Log },
): Promise<FoundProxyParts> {
  const { clock, lookUpAll } = context
  const lines = createLogThrottle()
  const onWait = ({ error: { code, message }, delayMs }: Wait) => {
    if (!lines.admit(clock.now())) return
    const fields = { event: 'proxy_waiting', code, seconds: Math.ceil(delayMs / 1000) } as const
    log.info(fields, `waiting, to ask again: ${message}`)
  }
  const server = await findServer(args, { ...context, onWait })
  return {
    parts: {
      protocols: PROTOCOLS,
      requestToken: (body, { waitMs }) => requestToken(body, { ...server, waitMs }),
      clock,
      monotonic: monotonicClock(),
      random: Math.random,
      lookUpAll,
      log,
      nameAndStack,
    },
    async findCallerName() {
      let subject: string | undefined
      const asking = requestJeton({ path: '/v1/whoami' }, { ...server, waitMs: 0 }).then(({ body }) => {
        if (isWhoamiReply(body)) subject = body.principal.subject
      })
      await waitAtMost(asking, { clock, maxMs: MAX_NAME_MS }).catch(() => {})
      return callerNameOf(subject)
    },
  }
}

/** Returns the CA certificates, in PEM, of the file that `--ca` names. Throws CallerError. */
export async function readDatabaseCa(path: string): Promise<string> {
  const { readCertificates } = await import('../client/server-ca.ts')
  return (await readCertificates({ path, name: '--ca' })).join('\n')
}
