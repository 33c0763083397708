import { LONG_CALLS, RESEND_AFTER_MS } from '../../aws/client.ts'
import type { Sts } from '../../aws/sts.ts'
import type { Clock } from '../../lib/clock.ts'
import { withDeadline } from '../../lib/deadline.ts'
import { getOrCreate } from '../../lib/maps.ts'
import { memoizeAsync } from '../../lib/single-flight.ts'
import { databaseUserArn } from '../../rds/database.ts'
import type { Health } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { RoleSession } from '../token.ts'
import type { TokenKey } from '../token-key.ts'
import { credentialsFailure, OwnFailure, stsFailure } from './sts-failure.ts'

/** AWS allows an hour at most for a role assumed from another role; a token needs 15 minutes. */
const SESSION_SECONDS = 3600
/** For the whole call (12 s), and within that for the SDK's search for jeton's own credentials (10 s), which has no timeout. */
const { deadlineMs, responseTimeoutMs: searchMs } = LONG_CALLS

export interface AssumeRoleParts {
  clock: Clock
  health: Health
  log: Log
}

/**
 * Assumes the role of a key's database and returns the role session. Throws what `stsFailure` or
 * `credentialsFailure` returns.
 */
export type AssumeRole = (key: TokenKey) => Promise<RoleSession>

/**
 * Returns a function that gets role sessions from AWS STS, each limited by a session policy to one database user. The SDK
 * finds credentials, region and endpoint in its own environment; if that names no region, the database's is used.
 */
export function createAssumeRole({ clock, health, log }: AssumeRoleParts): AssumeRole {
  const clients = new Map<string, () => Promise<Sts>>()

  function clientFor(region: string): Promise<Sts> {
    return getOrCreate(clients, { key: region, create: () => memoizeAsync(() => loadClient(region)) })()
  }

  async function loadClient(region: string): Promise<Sts> {
    const { createStsClient } = await import('../../aws/sts.ts')
    return createStsClient({ region, clock })
  }

  async function callSts(key: TokenKey, abortSignal: AbortSignal): Promise<RoleSession> {
    const { database, user } = key
    const sts = await clientFor(database.region)
    await withDeadline(searchMs, () => sts.findCredentials()).catch(cause => {
      throw credentialsFailure(cause, database.roleArn)
    })
    const input = {
      RoleArn: database.roleArn,
      RoleSessionName: key.sessionName,
      Policy: sessionPolicy(databaseUserArn(database, user)),
      DurationSeconds: SESSION_SECONDS,
      ...(database.externalId === undefined ? {} : { ExternalId: database.externalId }),
    }
    const { Credentials: credentials, AssumedRoleUser: assumedRole } = await sts.assumeRole(
      input,
      abortSignal,
    )
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials ?? {}
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !assumedRole?.Arn)
      throw new TypeError('STS replied without credentials')
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiresAt: Expiration?.getTime() ?? clock.now() + SESSION_SECONDS * 1000,
      identity: assumedRole.Arn,
    }
  }

  function warnIfSlow({ database: { roleArn: role }, sessionName: session }: TokenKey, tookMs: number): void {
    if (tookMs > RESEND_AFTER_MS)
      log.warn(
        { event: 'assume_role_slow', role, session, tookMs },
        'STS was slow to return a role session. Callers wait 5 s for one at most, then get 503 and it serves them when they come back; check the network, a proxy, or whether STS is called in a far region',
      )
  }

  return async key => {
    const { roleArn } = key.database
    const calledAt = clock.now()
    try {
      const session = await withDeadline(deadlineMs, signal => callSts(key, signal))
      health.report('sts', { ok: true, of: roleArn })
      warnIfSlow(key, clock.now() - calledAt)
      return session
    } catch (cause) {
      const failure = cause instanceof OwnFailure ? cause : stsFailure(cause, roleArn)
      const { code, reason } = failure
      health.report('sts', { ok: false, of: roleArn })
      log.warn(
        { event: 'assume_role_failed', role: roleArn, session: key.sessionName, code, reason },
        'STS returned no role session, so no new token can be signed for this database user; the reason says what to check',
      )
      throw failure
    }
  }
}

/** One action on one resource: the session can do no more, whatever the role itself allows. */
function sessionPolicy(resource: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: resource }],
  })
}
