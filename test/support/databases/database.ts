import type { LoginCheck, VerificationResult } from '../../../src/dev/aws/rds-verifier.ts'
import type { Authority } from '../../../src/dev/postgres/certificate-authority.ts'

export interface DatabaseOptions {
  /** Issues the server's certificate. */
  readonly authority: Authority
  /** The names in its certificate: the RDS host names that it stands in for. */
  readonly hosts: readonly string[]
  /** The accounts that log in with a token. */
  readonly users: readonly string[]
  /** Usually one of `createRdsVerifier`. */
  readonly check: LoginCheck
  /** The name of the one database; default `orders`. */
  readonly database?: string
  /** How many clients PostgreSQL lets in; default: 200. */
  readonly maxConnections?: number
}

/** A login that reached the check: over TLS, by a user who logs in with tokens. */
export interface RecordedLogin {
  readonly user: string
  readonly result: VerificationResult
}

/** A real database server on 127.0.0.1 that authenticates its users as RDS does. */
export interface RealDatabase {
  readonly port: number
  readonly database: string
  readonly logins: readonly RecordedLogin[]
  /** An account with a password of its own, to which no token logs in. */
  readonly outsider: { readonly user: string; readonly password: string }
  /** Runs statements as `rdsadmin`, without IAM; returns the rows of the last. */
  admin(sql: string): Promise<Record<string, unknown>[]>
  /** Kills the server, as a failover does, and starts it again on its port. */
  restart(): Promise<void>
  /** Ends the server and removes everything it wrote. */
  close(): Promise<void>
}

/** Wraps a check so that each login is recorded. If it throws, the login is refused, as RDS does if IAM does not answer. */
export function recordLogins(inner: LoginCheck): { logins: RecordedLogin[]; check: LoginCheck } {
  const logins: RecordedLogin[] = []
  return {
    logins,
    async check(login) {
      const result = await Promise.resolve()
        .then(() => inner(login))
        .catch((): VerificationResult => ({ ok: false, reason: 'the check failed' }))
      logins.push({ user: login.user, result })
      return result
    },
  }
}
