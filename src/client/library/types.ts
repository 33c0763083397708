import type { Socket } from 'node:net'
import type { PeerCertificate } from 'node:tls'

/** Which tokens to ask for, and how. */
export interface TokensOptions {
  /** The database's name in jeton's configuration. */
  database: string
  /** The database user; may be left out if only one is granted. */
  user?: string | undefined
  /** The server; default: JETON_URL. */
  url?: string | undefined
  /** A file with the caller's JWT, read before each request. */
  jwtFile?: string | undefined
  /**
   * The caller's credential: a JWT, or `ApiKey KEY`; a function is asked before each request. Without this and `jwtFile` it is
   * found as `jeton token` finds it.
   */
  credential?: string | (() => string | Promise<string>) | undefined
  /** A file with CA certificates to trust besides those of Node; default: JETON_CACERT. */
  serverCa?: string | undefined
  /** How long a call may wait, in milliseconds, while the server is away or says to come back later; default: 10,000. */
  waitMs?: number | undefined
}

export interface CallOptions {
  /** Ends this call alone: others that wait for the same token go on. */
  signal?: AbortSignal | undefined
}

/** A token, and what it is for. It is frozen, and `token` is not enumerable, so that no log or JSON shows it. */
export interface VendedToken {
  /** The database password, a secret. */
  readonly token: string
  readonly database: string
  /** `postgres`, `mysql` or `mariadb`. */
  readonly engine: string
  /** RDS's own name, which the certificate is checked for, whatever is dialled. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly region?: string
  /** The database to connect to, if one is configured. */
  readonly dbname?: string
  /** The address to dial, as `host:port`, if that is not `host` and `port`. */
  readonly connect?: string
  /** RFC 3339, by the server's clock, as `expiresAt`. */
  readonly refreshAfter?: string
  readonly expiresAt?: string
  /** What records and logs carry in the token's place. */
  readonly fingerprint: string
  readonly auditId?: string
  /** The certificates of RDS, in PEM. */
  readonly ca: { readonly pem: string }
}

/** Tokens for one database user: one request for all callers, kept until it is time for another. */
export interface Tokens {
  /**
   * Returns the current token; asks for one if there is none, or the last is used up. From `refreshAfter` on one caller asks
   * for the next, and everybody has the last one until that is there. Throws TokenError.
   */
  get(options?: CallOptions): Promise<VendedToken>
  /** Returns the token of `get`: a password function for drivers that take one. */
  password(options?: CallOptions): Promise<string>
  /** Tells jeton that the database refused a token, and returns another; all who report the same one share it. */
  refused(token: VendedToken, options?: CallOptions): Promise<VendedToken>
  /** Returns what `logIn` returns. If the database refuses its login, that is told to jeton and tried once more. */
  logIn<T>(logIn: (token: VendedToken) => Promise<T>, options?: CallOptions): Promise<T>
  /** Takes an error of a driver. If it says that a login was refused, the next login has another token. */
  onLoginError(error: unknown): void
  /** Returns options for `pg` and what is built on it. */
  pg(): Promise<PgOptions>
  /** Returns options for `mysql2`. */
  mysql2(): Promise<Mysql2Options>
  /** Returns options for `mariadb`. */
  mariadb(): Promise<MariadbOptions>
}

/** Options of a `Client` or `Pool` of `pg`; postgres.js takes them too. */
export interface PgOptions {
  host: string
  port: number
  user: string
  database?: string
  /** Called for each connection. */
  password(): Promise<string>
  ssl: {
    /** That of the last token, whenever it is read: a pool may be older than its database's CA. */
    readonly ca: string
    servername: string
    /** Checks the certificate for RDS's name, whatever name is dialled. */
    checkServerIdentity(host: string, certificate: PeerCertificate): Error | undefined
  }
}

/** Options of a connection or a pool of `mysql2`. */
export interface Mysql2Options {
  /** RDS's own name: mysql2 checks the certificate for it. */
  host: string
  port: number
  user: string
  database?: string
  ssl: { readonly ca: string; verifyIdentity: true }
  /** Sends the token, and only over TLS to a server whose certificate is RDS's. */
  authPlugins: {
    mysql_clear_password(context: { connection: unknown; command: unknown }): () => Promise<Buffer>
  }
  /** Longer than mysql2's own, so that a login may wait for a token. */
  connectTimeout: number
  /** Dials the tunnel, if there is one. */
  stream?: () => Socket
}

/** Options of a connection or a pool of `mariadb`. */
export interface MariadbOptions {
  host: string
  port: number
  user: string
  database?: string
  ssl: { readonly ca: string; servername: string }
  /** Dials, and puts the token into the options of this connection. */
  stream(callback: (error?: Error | undefined, socket?: Socket) => void): void
  /** Longer than mariadb's own second, so that a login may wait for a token. */
  connectTimeout: number
  /** A token is for one endpoint: the server may not send the client to another. */
  permitRedirect: false
}
