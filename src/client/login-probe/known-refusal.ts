/** What a database or an RDS proxy may say at a login, what it means, and what to do. docs/connect/refused.md has the same. */
export interface KnownRefusal {
  /** As people see it; `…` is in the place of what differs. */
  readonly says: string
  /** The codes that it comes with; of those listed, any. Without one, any code at all. */
  readonly codes?: readonly string[]
  readonly text?: RegExp
  readonly means: string
  /** The likeliest first. */
  readonly remedies: readonly string[]
}

/** Of a token that was not accepted. */
export const CHECK_POLICY =
  'the role must allow rds-db:connect on exactly this resource id and user: compare it with `jeton iam DATABASE`, by `jeton lint-policy --config jeton.yaml FILE`'
export const READ_RDS_LOG =
  'RDS knows the cause and tells it in its log iam-db-auth-error (CloudWatch) alone: 403 the role may not, 400 the token is wrong, 429 throttled'
