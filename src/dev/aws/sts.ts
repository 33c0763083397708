import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { serveOnLoopback } from '../loopback-server.ts'
import { parseRoleCall, type RoleCall } from './role-call.ts'
import { type AwsError, verifySignature } from './sts-request.ts'
import type { StsSession } from './sts-session.ts'
import { assumeRoleXml, callerIdentityXml, errorXml } from './sts-xml.ts'

/** One AssumeRole request with a valid signature, and its outcome. */
export interface StsCall extends RoleCall {
  /** The region it was signed for. */
  readonly region: string
  /** `issued`, or the code of AWS's error, or `hanging` if it is never answered. */
  readonly outcome: string
}

export interface StsStandInOptions {
  /** Milliseconds since the epoch, by STS's clock. */
  now(): number
  region: string
  sessionTokenLength: number
  /** Delays every request; `stopped` aborts when the stand-in is closed. */
  delay?(stopped: AbortSignal): Promise<void>
  /** Whether a request with a valid signature is never answered. */
  isHanging?(): boolean
  /** Returns the error of an AssumeRole; undefined leaves it to the stand-in. */
  refuse?(call: RoleCall): AwsError | undefined
  /** How long a new session lasts, instead of as long as was requested. */
  lifetimeMs?(): number | undefined
}

/** Whose the base credentials are. */
export const CALLER_ARN = 'arn:aws:iam::000000000000:user/jeton'

export interface StsStandIn {
  readonly url: string
  readonly region: string
  /** Every AssumeRole with a valid signature, in order of arrival. */
  readonly calls: StsCall[]
  /** Counts all requests, including those without a valid signature. */
  requests(): number
  session(accessKeyId: string): StsSession | undefined
  /** The base credentials, as an SDK client takes them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  close(): Promise<void>
}

/**
 * Starts a stand-in for AWS STS on loopback, without TLS: AssumeRole and GetCallerIdentity of the Query protocol, for base
 * credentials made in each run. It knows no trust policies or permissions: every role can be assumed. What its sessions sign
 * opens no database of AWS.
 */
export async function startStsStandIn(options: StsStandInOptions): Promise<StsStandIn> {
  const { now, region, sessionTokenLength, delay, isHanging, refuse, lifetimeMs } = options
  const credentials = { accessKeyId: keyId('AKIA'), secretAccessKey: secret(40) }
  const calls: StsCall[] = []
  const sessions = new Map<string, StsSession>()
  const stopped = new AbortController()
  let requests = 0

  async function answer(request: IncomingMessage): Promise<StsSession | AwsError | 'identity' | 'hanging'> {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    await delay?.(stopped.signal)
    const verified = verifySignature(request, {
      body,
      accessKeyId: credentials.accessKeyId,
      secret: credentials.secretAccessKey,
      now: now(),
    })
    if ('code' in verified) return verified
    const parameters = new URLSearchParams(body)
    if (parameters.get('Action') === 'GetCallerIdentity') return isHanging?.() ? 'hanging' : 'identity'
    const { call, result } = parseRoleCall(parameters)
    const record = (outcome: string) => void calls.push({ ...call, region: verified.region, outcome })
    if (isHanging?.()) {
      record('hanging')
      return 'hanging'
    }
    const decided = refuse?.(call) ?? result
    if ('code' in decided) {
      record(decided.code)
      return decided
    }
    record('issued')
    return issue(call, decided.arn)
  }

  function issue(call: RoleCall, arn: string): StsSession {
    const session = {
      accessKeyId: keyId('ASIA'),
      secret: secret(40),
      token: secret(sessionTokenLength),
      policy: call.policy,
      roleArn: call.roleArn,
      roleSessionName: call.roleSessionName,
      arn,
      // in whole seconds, as in the response
      expiresAt: Math.floor((now() + (lifetimeMs?.() ?? call.durationSeconds * 1000)) / 1000) * 1000,
    }
    sessions.set(session.accessKeyId, session)
    return session
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    requests++
    const result = await answer(request)
    if (result === 'hanging') return
    const isError = typeof result === 'object' && 'code' in result
    response.writeHead(isError ? result.status : 200, {
      'content-type': 'text/xml',
      date: new Date(now()).toUTCString(),
    })
    if (result === 'identity') response.end(callerIdentityXml(CALLER_ARN))
    else response.end('code' in result ? errorXml(result) : assumeRoleXml(result))
  }

  const listener = await serveOnLoopback(serve)

  return {
    url: listener.url,
    region,
    calls,
    credentials,
    requests: () => requests,
    session: accessKeyId => sessions.get(accessKeyId),
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
