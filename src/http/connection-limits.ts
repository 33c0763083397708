import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../lib/clock.ts'
import { ipNetwork } from '../lib/ip-network.ts'
import { createLogThrottle } from '../lib/log-throttle.ts'
import type { Log } from '../telemetry/log.ts'
import type { ConnectionMetrics } from '../telemetry/metrics.ts'
import { type Connection, type Connections, isIdle } from './connections.ts'

/** The most that one customer of a network gets (RFC 6177). */
const IPV6_PREFIX = 48

export interface ConnectionLimits {
  /** Connections that may be open in all. */
  readonly max: number
  /** Of these, from one address; undefined if they all come from proxies. */
  readonly maxPerAddress?: number | undefined
}

export interface ConnectionLimitParts {
  connections: Connections
  limits: ConnectionLimits
  clock: Pick<Clock, 'now'>
  log: Log
  metrics: ConnectionMetrics
}

/**
 * Keeps the number of a server's connections within limits, in all and for each address, an IPv6 address by its /48. A newcomer
 * beyond a limit takes the place of an idle connection (`isIdle`): of its own address if that is at its limit, else of the
 * address with the most connections, and of these the one that was used longest ago. If jeton is at work for all of them, the
 * newcomer is refused. So silent connections keep nobody out.
 */
export function limitConnections(server: Server, parts: ConnectionLimitParts): void {
  const { connections, limits, metrics } = parts
  const { max, maxPerAddress = Number.POSITIVE_INFINITY } = limits
  const places = new Map<Connection, string>()
  const placesOf = new Map<string, number>()
  const report = createReport(parts)

  server.on('connection', (socket: Socket) => {
    const newcomer = connections.of(socket)
    if (!newcomer) return
    const network =
      limits.maxPerAddress === undefined ? '' : ipNetwork(newcomer.address, { ipv6Prefix: IPV6_PREFIX })
    if (countOf(network) >= maxPerAddress && !makeRoom(network)) return void socket.destroy()
    if (places.size >= max && !makeRoom()) return void socket.destroy()
    places.set(newcomer, network)
    placesOf.set(network, countOf(network) + 1)
    metrics.onConnectionsChanged(places.size)
    socket.once('close', () => leave(newcomer))
  })

  /** Closes an idle connection, of this network if one is given. Returns whether there was one. */
  function makeRoom(network?: string): boolean {
    const victim = leastMissed(network)
    report(victim ? 'idle' : 'refused')
    if (!victim) return false
    leave(victim)
    victim.socket.destroy()
    return true
  }

  function leastMissed(ofNetwork: string | undefined): Connection | undefined {
    let victim: Connection | undefined
    let most = 0
    for (const [connection, network] of places) {
      if ((ofNetwork !== undefined && network !== ofNetwork) || !isIdle(connection)) continue
      const count = countOf(network)
      if (victim && (count < most || (count === most && connection.lastUsed > victim.lastUsed))) continue
      victim = connection
      most = count
    }
    return victim
  }

  function leave(connection: Connection): void {
    const network = places.get(connection)
    if (network === undefined) return
    places.delete(connection)
    const left = countOf(network) - 1
    if (left > 0) placesOf.set(network, left)
    else placesOf.delete(network)
    metrics.onConnectionsChanged(places.size)
  }

  function countOf(network: string): number {
    return placesOf.get(network) ?? 0
  }
}

/** Returns a function that counts a connection that had to go, and logs once a minute how many have. */
function createReport({ limits, clock, log, metrics }: ConnectionLimitParts) {
  const lines = createLogThrottle()
  let counts = { idle: 0, refused: 0 }
  return (reason: keyof typeof counts): void => {
    metrics.onConnectionCut(reason)
    counts[reason]++
    if (!lines.admit(clock.now())) return
    log.warn(
      { event: 'connections_limited', ...counts, ...limits },
      'more connections than the limits allow: idle ones were closed for new ones, and new ones refused if none was idle',
    )
    counts = { idle: 0, refused: 0 }
  }
}
