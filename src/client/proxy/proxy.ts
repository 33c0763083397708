import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../telemetry/log.ts'
import type { ClientFamily } from '../client-family.ts'
import type { DaemonHealth } from '../daemon/daemon-health.ts'
import type { VendedToken } from '../library/types.ts'
import type { TokenRequestBody } from '../request-token.ts'
import type { TokenReply } from '../token-reply.ts'
import type { ProtocolParts, ProxyProtocol } from './protocol.ts'

/** Where clients of one database reach the proxy. */
export type ListenAt =
  /** A Unix socket in a folder, which is there and private, named after a port: the database's own unless one is given. */
  | { readonly folder: string; readonly port?: number | undefined }
  /** A port of 127.0.0.1, open to every local user; 0 for any that is free. */
  | { readonly loopbackPort: number }

export interface ProxiedDatabase {
  /** As jeton calls it. */
  readonly name: string
  /** May be left out if only one is granted. */
  readonly user?: string | undefined
  readonly listen: ListenAt
}

export interface ProxyOptions {
  readonly databases: readonly ProxiedDatabase[]
  /** For how long a login waits for jeton, and while RDS throttles. */
  readonly waitMs: number
  /** Sessions at one time, of all databases together. */
  readonly maxConnections: number
  /** CA certificates in PEM to verify the databases with, instead of those of jeton's replies. */
  readonly caPem?: string | undefined
  /** Returns what sessions without a name of their own are called in the databases; called once, after the first tokens. */
  readonly findCallerName?: (() => Promise<string>) | undefined
}

/** Resolves with all addresses of a host, in the order in which they are to be tried. */
export type LookUpAddresses = (host: string) => Promise<readonly { readonly address: string }[]>

/** How each family of clients is served; one call for each database. */
export type Protocols = Readonly<Record<ClientFamily, (parts: ProtocolParts) => ProxyProtocol>>

export interface ProxyParts {
  protocols: Protocols
  /** Asks jeton for a token, for as long as `waitMs`. Rejects with CallerError. */
  requestToken(body: TokenRequestBody, options: { waitMs: number }): Promise<TokenReply>
  clock: Clock
  /** The time that passes, which nobody sets. */
  monotonic: Pick<Clock, 'now'>
  random: () => number
  lookUpAll: LookUpAddresses
  log: Log
  /** Returns what the log may have of a bug: nothing of its message, which may quote a secret. */
  nameAndStack(cause: unknown): object
}

/** A database that is served. */
export interface Listening {
  readonly database: string
  /** The token that was asked for at the start: engine, user, dbname and more. */
  readonly token: VendedToken
  /** The path of the Unix socket; undefined on loopback. */
  readonly socket?: string
  /** What clients are to be told as the port: that of 127.0.0.1, or the one in the name of the socket. */
  readonly port: number
}

/** A proxy that accepts clients. */
export interface RunningProxy {
  /** In the order of the databases. */
  readonly listening: readonly Listening[]
  readonly health: DaemonHealth
  /**
   * Accepts nobody any more, removes the sockets, and resolves once all sessions have ended; those that are left after `drainMs`
   * are ended. A later call with less is heeded.
   */
  close(options: { drainMs: number }): Promise<void>
}
