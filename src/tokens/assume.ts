import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import type { Clock } from '../clock.ts'
import { databaseUserArn } from '../databases/database.ts'
import type { Health } from '../health.ts'
import type { Log } from '../log.ts'
import type { TokenKey } from './key.ts'
import { stsFailure } from './sts-failure.ts'
import type { RoleSession } from './token.ts'

/** A token needs 15 minutes of its session; an hour is what a role chained from another role gets at most. */
const SESSION_SECONDS = 3600
const CONNECT_TIMEOUT_MS = 1000
const ANSWER_TIMEOUT_MS = 2500

export interface AssumerParts {
  clock: Clock
  health: Health
  log: Log
}

/** Assumes the role of a key's database. Throws `role_refused` or `temporarily_unavailable`, as `stsFailure` tells them apart. */
export type Assume = (key: TokenKey) => Promise<RoleSession>

/**
 * Asks AWS STS for role sessions, scoped by a session policy to the one database user. The SDK finds credentials, region
 * and endpoint in its own environment; where that names no region, the database's is asked.
 */
export function stsAssumer({ clock, health, log }: AssumerParts): Assume {
  const clients = new Map<string, Promise<STSClient>>()

  function clientFor(region: string): Promise<STSClient> {
    const client = clients.get(region) ?? createClient(region, clock)
    clients.set(region, client)
    return client
  }

  return async key => {
    const { database, user } = key
    const sts = await clientFor(database.region)
    const command = new AssumeRoleCommand({
      RoleArn: database.roleArn,
      RoleSessionName: key.sessionName,
      Policy: sessionPolicy(databaseUserArn(database, user)),
      DurationSeconds: SESSION_SECONDS,
      ...(database.externalId === undefined ? {} : { ExternalId: database.externalId }),
    })
    try {
      const { Credentials: credentials, AssumedRoleUser: assumed } = await sts.send(command)
      if (
        !credentials?.AccessKeyId ||
        !credentials.SecretAccessKey ||
        !credentials.SessionToken ||
        !assumed?.Arn
      )
        throw new TypeError('STS answered without credentials')
      health.report('sts', { ok: true, of: database.roleArn })
      return {
        accessKeyId: credentials.AccessKeyId,
        secretAccessKey: credentials.SecretAccessKey,
        sessionToken: credentials.SessionToken,
        expiresAt: credentials.Expiration?.getTime() ?? clock.now() + SESSION_SECONDS * 1000,
        identity: assumed.Arn,
      }
    } catch (cause) {
      const failure = stsFailure(cause, database.roleArn)
      health.report('sts', { ok: false, of: database.roleArn })
      log.warn(
        { role: database.roleArn, session: key.sessionName, code: failure.code, reason: failure.reason },
        'assume-role failed',
      )
      throw failure
    }
  }
}

/** One statement, one action, one resource: whatever the role itself allows, the session can do no more. */
function sessionPolicy(resource: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: resource }],
  })
}

async function createClient(region: string, clock: Clock): Promise<STSClient> {
  const settings = {
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: ANSWER_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  }
  const fromEnvironment = new STSClient(settings)
  const named = await fromEnvironment.config.region().then(
    () => true,
    () => false,
  )
  const client = named ? fromEnvironment : new STSClient({ ...settings, region })
  client.middlewareStack.add(
    next => async args => {
      const result = await next(args)
      const { headers } = result.response as { headers?: { date?: string } }
      if (headers?.date) clock.observe(new Date(headers.date))
      return result
    },
    { step: 'deserialize', name: 'observeDate', priority: 'low' },
  )
  return client
}
