import type { Authority } from '../service/certificate-authority.ts'
import type { LoginCheck, Verdict } from './rds-verifier.ts'

export interface DatabaseOptions {
  /** Who certifies the server. */
  readonly authority: Authority
  /** The names in its certificate: the RDS host names that it stands for. */
  readonly hosts: readonly string[]
  /** The accounts that log in with a token; `judgeFor` makes the usual `check`. */
  readonly users: readonly string[]
  readonly check: LoginCheck
  /** The name of the one database; default `orders`. */
  readonly database?: string
}

/** One login that reached the check: TLS stood by then, and the user was one who logs in with tokens. */
export interface Login {
  readonly user: string
  readonly verdict: Verdict
}

/** A real database server of a test, on 127.0.0.1, that knows its users as RDS does. */
export interface RealDatabase {
  readonly port: number
  readonly database: string
  readonly logins: readonly Login[]
  /** An account with a password of its own, which no token opens. */
  readonly outsider: { readonly user: string; readonly password: string }
  /** Runs statements as `rdsadmin`, past all IAM, and gives the rows of the last. */
  admin(sql: string): Promise<Record<string, unknown>[]>
  /** Ends the server and removes all that it wrote. */
  close(): Promise<void>
}

/** Keeps what was decided. A check that throws refuses, as RDS does when IAM does not answer. */
export function recorded(check: LoginCheck): { logins: Login[]; judge: LoginCheck } {
  const logins: Login[] = []
  return {
    logins,
    async judge(login) {
      const verdict = await Promise.resolve()
        .then(() => check(login))
        .catch((): Verdict => ({ ok: false, reason: 'the check failed' }))
      logins.push({ user: login.user, verdict })
      return verdict
    },
  }
}
