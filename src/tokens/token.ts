import type { Lifetime } from './lifetime.ts'

/** What `AssumeRole` returned. Never leaves the process that assumed it; never in a log, an error or a record. */
export interface RoleSession {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** The assumed-role ARN: who RDS takes the login for. */
  readonly identity: string
}

/** An RDS IAM authentication token with what may be said of it. `text` is a password. */
export interface Token extends Lifetime {
  readonly text: string
  /** Lower-case hex SHA-256 of `text`. */
  readonly fingerprint: string
  readonly identity: string
}
