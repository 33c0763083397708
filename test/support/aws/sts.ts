import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { serveOnLoopback } from '../loopback-server.ts'
import { awsEnvironment } from './environment.ts'
import { assumeRole, type RoleCall } from './sts-assume-role.ts'
import { type AwsError, verifySignature } from './sts-request.ts'
import { assumeRoleXml, errorXml } from './sts-xml.ts'

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

/** One AssumeRole request with a valid signature, and its outcome. */
export interface StsCall extends RoleCall {
  /** The region it was signed for. */
  readonly region: string
  /** `issued`, or the code of AWS's error, or `hanging` if it is never answered. */
  readonly outcome: string
}

/** Faults that a test can set and clear at any time. */
export interface StsFaults {
  /** Roles (ARNs) that may not be assumed: 403 AccessDenied. */
  readonly deniedRoles: Set<string>
  /** The external id that a role (ARN) requires: 403 AccessDenied without it. */
  readonly externalIds: Map<string, string>
  /** 400 Throttling. */
  throttling: boolean
  /** 500 InternalFailure. */
  failing: boolean
  /** Requests are never answered, even after this is cleared. */
  hanging: boolean
  delayMs: number
  /** The lifetime of new sessions, whatever was requested. */
  lifetimeMs: number | undefined
  /** How far STS's clock is ahead of `now`: in `Date`, in expiries and in which signatures are too old. */
  clockShiftMs: number
}

export interface Sts {
  readonly url: string
  readonly region: string
  readonly faults: StsFaults
  /** Every AssumeRole with a valid signature, in order of arrival. */
  readonly calls: StsCall[]
  /** Counts all requests, including those without a valid signature. */
  requests(): number
  session(accessKeyId: string): StsSession | undefined
  /** The base credentials, as an SDK client takes them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Environment variables that lead a process to this STS and to nothing else of AWS. */
  environment(): Record<string, string>
  close(): Promise<void>
}

/**
 * Starts a stand-in for AWS STS on loopback, without TLS: AssumeRole of the Query protocol, for base credentials made in each
 * run. It knows no trust policies or permissions: every role can be assumed unless `faults` says otherwise.
 */
export async function startSts({
  now = Date.now,
  region = 'us-east-1',
  sessionTokenLength = 1000,
}: {
  now?: () => number
  region?: string
  sessionTokenLength?: number
} = {}): Promise<Sts> {
  const credentials = { accessKeyId: keyId('AKIA'), secretAccessKey: secret(40) }
  const faults: StsFaults = {
    deniedRoles: new Set(),
    externalIds: new Map(),
    throttling: false,
    failing: false,
    hanging: false,
    delayMs: 0,
    lifetimeMs: undefined,
    clockShiftMs: 0,
  }
  const calls: StsCall[] = []
  const sessions = new Map<string, StsSession>()
  const stopped = new AbortController()
  let requests = 0
  const time = () => now() + faults.clockShiftMs

  async function answer(request: IncomingMessage): Promise<StsSession | AwsError | 'never'> {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (faults.delayMs > 0) await pause(faults.delayMs, undefined, { signal: stopped.signal })
    const verified = verifySignature(request, {
      body,
      accessKeyId: credentials.accessKeyId,
      secret: credentials.secretAccessKey,
      now: time(),
    })
    if ('code' in verified) return verified
    const { call, result } = assumeRole(new URLSearchParams(body), faults)
    const record = (outcome: string) => void calls.push({ ...call, region: verified.region, outcome })
    if (faults.hanging) {
      record('hanging')
      return 'never'
    }
    if ('code' in result) {
      record(result.code)
      return result
    }
    record('issued')
    const session = {
      accessKeyId: keyId('ASIA'),
      secret: secret(40),
      token: secret(sessionTokenLength),
      policy: call.policy,
      roleArn: call.roleArn,
      roleSessionName: call.roleSessionName,
      arn: result.arn,
      // In whole seconds, as in the response.
      expiresAt: Math.floor((time() + (faults.lifetimeMs ?? call.durationSeconds * 1000)) / 1000) * 1000,
    }
    sessions.set(session.accessKeyId, session)
    return session
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    requests++
    const result = await answer(request)
    if (result === 'never') return
    const isError = 'code' in result
    response.writeHead(isError ? result.status : 200, {
      'content-type': 'text/xml',
      date: new Date(time()).toUTCString(),
    })
    response.end(isError ? errorXml(result) : assumeRoleXml(result))
  }

  const listener = await serveOnLoopback(serve)

  return {
    url: listener.url,
    region,
    faults,
    calls,
    credentials,
    requests: () => requests,
    session: accessKeyId => sessions.get(accessKeyId),
    environment: () => ({
      ...awsEnvironment({ region, ...credentials }),
      AWS_ENDPOINT_URL_STS: listener.url,
    }),
    async close() {
      stopped.abort()
      await listener.close()
    },
  }
}

const keyId = (prefix: string) => prefix + randomBytes(8).toString('hex').toUpperCase()

/** Random text of exactly `length` characters with `+`, `/` and `=`, as in AWS's secrets: encoders often get these wrong. */
function secret(length: number): string {
  return `${randomBytes(length)
    .toString('base64')
    .slice(0, length - 3)}+/=`
}
