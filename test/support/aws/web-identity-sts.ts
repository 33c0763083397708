import { createServer, request as forwardRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { AssumeRoleCommand, STSClient, STSServiceException } from '@aws-sdk/client-sts'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { AwsError } from '../../../src/dev/aws/sts-request.ts'
import { assumeRoleXml, errorXml } from '../../../src/dev/aws/sts-xml.ts'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'
import type { Certificate } from '../../../src/dev/postgres/certificate-authority.ts'
import type { Issuer } from '../oidc/issuer.ts'
import type { Sts } from './sts.ts'

/** What the JWT of an AssumeRoleWithWebIdentity is made for. */
export const STS_AUDIENCE = 'sts.amazonaws.com'

export interface WebIdentityStsOptions {
  /** Issues all sessions, and answers every other request. */
  sts: Sts
  /** Whose JWTs it takes. */
  issuer: Pick<Issuer, 'url' | 'jwks'>
  /** What every role may do: the stand-in behind it knows policies of sessions alone. */
  permissions: object
  /** Its certificate if it speaks TLS; plain HTTP unless given. */
  tls?: Certificate
}

export interface WebIdentitySts {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/**
 * Starts a front of the stand-in for STS that also knows AssumeRoleWithWebIdentity, which anyone with a JWT of the issuer's may
 * call, without credentials. Every role trusts every subject. Each is one AssumeRole of the stand-in, which counts and delays it.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function startWebIdentitySts(options: WebIdentityStsOptions): Promise<WebIdentitySts> {
  const { sts, issuer, permissions, tls } = options
  const { region, url: endpoint, credentials } = sts
  const client = new STSClient({ region, endpoint, credentials, maxAttempts: 1 })

  async function assumeRole(parameters: URLSearchParams): Promise<string> {
    const { payload } = await jwtVerify(
      parameters.get('WebIdentityToken') ?? '',
      createLocalJWKSet(issuer.jwks()),
      { issuer: issuer.url, audience: STS_AUDIENCE },
    )
    const { Credentials } = await client.send(
      new AssumeRoleCommand({
        RoleArn: parameters.get('RoleArn') ?? '',
        RoleSessionName: parameters.get('RoleSessionName') ?? '',
        Policy: JSON.stringify(permissions),
      }),
    )
    const session = sts.session(Credentials?.AccessKeyId ?? '')
    if (!session) throw new Error('the stand-in issued no session')
    return assumeRoleXml(session)
      .replaceAll('AssumeRoleRes', 'AssumeRoleWithWebIdentityRes')
      .replace(/<Credentials>/, `<SubjectFromWebIdentityToken>${payload.sub}</SubjectFromWebIdentityToken>$&`)
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { method, url: path, headers } = request
    const parameters = new URLSearchParams(method === 'GET' ? path?.split('?')[1] : body)
    if (parameters.get('Action') !== 'AssumeRoleWithWebIdentity') {
      const forwarded = forwardRequest(endpoint, { method, path, headers }, reply => {
        response.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(response)
      })
      forwarded.on('error', () => response.destroy()).end(body)
      return
    }
    try {
      const xml = await assumeRole(parameters)
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml)
    } catch (cause) {
      const error = errorOf(cause)
      response.writeHead(error.status, { 'content-type': 'text/xml' }).end(errorXml(error))
    }
  }

  const server = tls ? createTlsServer({ cert: tls.certPem, key: tls.keyPem }) : createServer()
  const listener = await listenOnLoopback(
    server.on(
      'request',
      (request, response) => void serve(request, response).catch(() => response.destroy()),
    ),
  )
  return {
    port: listener.port,
    url: tls ? listener.url.replace('http:', 'https:') : listener.url,
    async close() {
      client.destroy()
      await listener.close()
    },
  }
}

/** Returns the stand-in's own error as it is; anything else is wrong with the JWT. */
function errorOf(cause: unknown): AwsError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return cause instanceof STSServiceException
    ? { status: cause.$metadata.httpStatusCode ?? 500, code: cause.name, message }
    : { status: 400, code: 'InvalidIdentityToken', message }
}
