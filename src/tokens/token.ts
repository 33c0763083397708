import type { Lifetime } from './lifetime.ts'

/** The credentials that `AssumeRole` returned. They never leave the process, and are in no log, error or record. */
export interface RoleSession {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** The assumed-role ARN: the identity that RDS sees log in. */
  readonly identity: string
}

/** An RDS IAM authentication token. `text` is a password; the rest may be shown. */
export interface Token extends Lifetime {
  readonly text: string
  /** Lower-case hex SHA-256 of `text`. */
  readonly fingerprint: string
  readonly identity: string
}
