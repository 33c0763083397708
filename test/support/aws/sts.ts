import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { devNull } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { assumeRole, type RoleCall } from './sts-assume-role.ts'
import { type Fault, verifyHeader } from './sts-request.ts'
import { assumeRoleXml, faultXml } from './sts-xml.ts'

/** A role session that the stand-in gave out, with what a judge of its signatures needs. */
export interface Session {
  readonly accessKeyId: string
  readonly secret: string
  readonly token: string
  /** The session policy as it was sent; undefined where the caller sent none. */
  readonly policy: string | undefined
  readonly roleArn: string
  readonly roleSessionName: string
  /** The assumed-role ARN, by which RDS names who logs in. */
  readonly arn: string
  readonly expiresAt: number
}

/** What one AssumeRole with a valid signature asked for, and what came of it. */
export interface Call extends RoleCall {
  /** The region it was signed for. */
  readonly region: string
  /** `issued`, else the code of AWS's error; `hanging` while it waits for ever. */
  readonly outcome: string
}

/** What a test may break, and mend again, at any time. */
export interface StsFaults {
  /** Roles (ARNs) that may not be assumed: 403 AccessDenied. */
  readonly deniedRoles: Set<string>
  /** The external id that a role (ARN) demands: 403 AccessDenied without it. */
  readonly externalIds: Map<string, string>
  /** 400 Throttling. */
  throttling: boolean
  /** 500 InternalFailure. */
  failing: boolean
  /** Takes requests and never answers; those that wait stay waiting when it is mended. */
  hanging: boolean
  delayMs: number
  /** Sessions live this long, whatever was asked for. */
  lifetimeMs: number | undefined
  /** How far STS's clock is ahead of `now`; it shows in `Date`, in expiries and in which signatures are too old. */
  clockShiftMs: number
}

export interface Sts {
  readonly url: string
  readonly region: string
  readonly faults: StsFaults
  /** Every AssumeRole whose signature was valid, in the order they came. */
  readonly calls: Call[]
  /** Every request, those with no valid signature included. */
  requests(): number
  session(accessKeyId: string): Session | undefined
  /** The base credentials, as an SDK client takes them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** What a process needs to find this STS and nothing else of AWS. */
  environment(): Record<string, string>
  close(): Promise<void>
}

/**
 * A stand-in for AWS STS on loopback: AssumeRole of the Query protocol, for base credentials of its own, made in each run.
 * It knows no role's trust or permissions: every role may be assumed unless `faults` says otherwise. No TLS.
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
  const calls: Call[] = []
  const sessions = new Map<string, Session>()
  const stopped = new AbortController()
  let requests = 0
  const time = () => now() + faults.clockShiftMs

  async function answer(request: IncomingMessage): Promise<Session | Fault | 'never'> {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (faults.delayMs > 0) await pause(faults.delayMs, undefined, { signal: stopped.signal })
    const verified = verifyHeader(request, {
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
      // In whole seconds, as the answer carries it.
      expiresAt: Math.floor((time() + (faults.lifetimeMs ?? call.durationSeconds * 1000)) / 1000) * 1000,
    }
    sessions.set(session.accessKeyId, session)
    return session
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    requests++
    const answered = await answer(request)
    if (answered === 'never') return
    const failed = 'code' in answered
    response.writeHead(failed ? answered.status : 200, {
      'content-type': 'text/xml',
      date: new Date(time()).toUTCString(),
    })
    response.end(failed ? faultXml(answered) : assumeRoleXml(answered))
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    region,
    faults,
    calls,
    credentials,
    requests: () => requests,
    session: accessKeyId => sessions.get(accessKeyId),
    environment: () => ({
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_STS: url,
      AWS_EC2_METADATA_DISABLED: 'true',
      // A developer's own profile must not leak into a test.
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
    }),
    close: () =>
      new Promise(resolve => {
        stopped.abort()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const keyId = (prefix: string) => prefix + randomBytes(8).toString('hex').toUpperCase()

/** Random text of exactly `length` characters with `+`, `/` and `=` in it, as AWS's have, which is what encoders get wrong. */
function secret(length: number): string {
  return `${randomBytes(length)
    .toString('base64')
    .slice(0, length - 3)}+/=`
}
