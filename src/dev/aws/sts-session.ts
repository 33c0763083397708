/** A role session that the stand-in issued, with everything that is needed to verify its signatures. */
export interface StsSession {
  readonly accessKeyId: string
  readonly secret: string
  readonly token: string
  /** The session policy as it was sent; undefined if the caller sent none. */
  readonly policy: string | undefined
  readonly roleArn: string
  readonly roleSessionName: string
  /** The assumed-role ARN: the identity that RDS sees. */
  readonly arn: string
  readonly expiresAt: number
}
