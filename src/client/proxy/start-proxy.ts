import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import { clientFamily } from '../client-family.ts'
import { createStopwatches } from '../library/stopwatch.ts'
import type { VendedToken } from '../library/types.ts'
import { type LocalServer, listenLocally } from './local/listen-locally.ts'
import { checkDistinct, type LocalAddress, localAddress } from './local/local-address.ts'
import { type OpenSource, openSources } from './login/open-sources.ts'
import { createProtocolParts } from './login/protocol-parts.ts'
import type { ProxyProtocol } from './protocol.ts'
import type { ProxyOptions, ProxyParts, RunningProxy } from './proxy.ts'
import { proxyMetrics } from './proxy-metrics.ts'
import { describeFailure } from './session/describe-failure.ts'
import { serveSession } from './session/serve-session.ts'
import { SessionError } from './session-error.ts'
import type { DatabaseWatch } from './watch-database.ts'

/** How long a login may take, besides what it waits for jeton. */
const MAX_LOGIN_MS = 30_000
/** Clients beyond the limit that are heard, to be told so; others are closed without a word. */
const MAX_HEARD = 1000

/** A database before it is listened for. */
interface Served {
  readonly database: string
  readonly watch: DatabaseWatch
  readonly protocol: ProxyProtocol
  readonly address: LocalAddress
  readonly currentToken: () => VendedToken
}

/**
 * Asks jeton for a token of each database, listens for their clients, and resolves when all are accepted. Rejects with CallerError
 * if there is no token, or no place to listen at.
 */
export async function startProxy(options: ProxyOptions, parts: ProxyParts): Promise<RunningProxy> {
  const { maxConnections, waitMs } = options
  const { clock, monotonic } = parts
  const startStopwatch = createStopwatches({ wall: clock, monotonic })
  const stop = new AbortController()
  // each session has one, and takes it away
  setMaxListeners(0, stop.signal)
  const sessions = new Set<Promise<void>>()
  const beforeLogin = new WeakMap<AbortSignal, () => void>()
  let isEnding = false

  const sources = await openSources(options, { ...parts, startStopwatch })
  const callerName = await options.findCallerName?.()
  const served = sources.map(source => serve(source))
  checkDistinct(served.map(({ database, address }) => ({ database, ...address })))

  function serve({ database, source, watch, token }: OpenSource): Served {
    let currentToken = token
    const login = createProtocolParts({
      ...parts,
      ...options,
      callerName,
      source,
      startStopwatch,
      onTokenRefused: watch.tokenRefused,
    })
    const protocol = parts.protocols[clientFamily(token)]({
      ...login,
      async logIn(attempt, signal) {
        beforeLogin.get(signal)?.()
        return login.logIn(current => {
          currentToken = current
          return attempt(current)
        }, signal)
      },
    })
    const { name } = database
    return {
      database: name,
      watch,
      protocol,
      address: localAddress(database, token),
      currentToken: () => currentToken,
    }
  }

  function onConnection(socket: Socket, { database, watch, protocol, currentToken }: Served): void {
    const isTooMany = sessions.size >= maxConnections
    if (sessions.size >= maxConnections + MAX_HEARD) {
      watch.sessionFailed(tooMany(maxConnections), 'too_many')
      return void socket.on('error', () => {}).destroy()
    }
    const session = serveSession(socket, {
      protocol,
      watch,
      describe: cause => describeFailure(cause, { database, token: currentToken() }),
      clock,
      startStopwatch,
      maxLoginMs: MAX_LOGIN_MS + waitMs,
      stop: stop.signal,
      onSignal(signal, loginBegins) {
        beforeLogin.set(signal, () => {
          if (isTooMany) throw tooMany(maxConnections)
          loginBegins()
        })
      },
    }).finally(() => sessions.delete(session))
    sessions.add(session)
  }

  const servers = await listenFor(served, onConnection)
  return {
    listening: served.map(({ database, address, currentToken }, index) => ({
      database,
      token: currentToken(),
      ...(address.path !== undefined && { socket: address.path }),
      port: servers[index]?.port ?? address.port,
    })),
    health: {
      problem: () =>
        isEnding ? 'the proxy is ending' : served.map(({ watch }) => watch.problem()).find(Boolean),
      metrics: () =>
        proxyMetrics(new Map(served.map(({ database, watch }) => [database, watch])), {
          connections: sessions.size,
          maxConnections,
        }),
    },
    async close({ drainMs }) {
      isEnding = true
      for (const server of servers) server.close()
      const drained = new AbortController()
      clock.sleep(drainMs, drained.signal).then(
        () => stop.abort(),
        () => {},
      )
      while (sessions.size > 0) await Promise.all(sessions)
      drained.abort()
    },
  }
}

function tooMany(maxConnections: number): SessionError {
  return new SessionError(`there are ${maxConnections} connections already, as many as it may have`, {
    failure: 'too_many',
  })
}

/** Listens for one after the other; for all or none. */
async function listenFor(
  served: readonly Served[],
  onConnection: (socket: Socket, one: Served) => void,
): Promise<LocalServer[]> {
  const servers: LocalServer[] = []
  try {
    for (const one of served)
      servers.push(await listenLocally(one.address, socket => onConnection(socket, one)))
    return servers
  } catch (cause) {
    for (const server of servers) server.close()
    throw cause
  }
}
