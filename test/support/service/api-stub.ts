import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'

export interface StubAnswer {
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON, text as it is. */
  body?: unknown
}

export interface StubRequest {
  method: string
  path: string
  authorization: string
  body: string
}

/** A stand-in for jeton's API, and for GitHub Actions' JWT endpoint, with predefined answers. */
export interface ApiStub {
  readonly url: string
  readonly requests: StubRequest[]
  /** Used one after the other; the last is repeated. A function makes the answer from the request. */
  answers: (StubAnswer | ((request: StubRequest) => StubAnswer))[]
  close(): Promise<void>
}

export async function startApiStub(): Promise<ApiStub> {
  const requests: StubRequest[] = []
  const server = createServer(async (incoming, response) => {
    const request = await read(incoming)
    requests.push(request)
    const next = stub.answers.length > 1 ? stub.answers.shift() : stub.answers[0]
    const {
      status = 200,
      headers = {},
      body = {},
    } = (typeof next === 'function' ? next(request) : next) ?? {}
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const { url, close } = await listenOnLoopback(server)
  const stub: ApiStub = {
    url,
    requests,
    answers: [],
    close,
  }
  return stub
}

async function read(incoming: IncomingMessage): Promise<StubRequest> {
  let body = ''
  for await (const chunk of incoming) body += chunk
  const { method = '', url: path = '', headers } = incoming
  return { method, path, authorization: headers.authorization ?? '', body }
}

export const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
export const RDS_HOST = 'orders.c9akciq32xyz.us-east-1.rds.amazonaws.com'

/** A token reply as in docs/http.md, with a new token. */
export function sampleReply(overrides: Record<string, unknown> = {}) {
  const token = `${RDS_HOST}:5432/?Action=connect&DBUser=app_ro&X-Amz-Signature=${randomBytes(32).toString('hex')}`
  return {
    ...{ token, database: 'orders', engine: 'postgres', host: RDS_HOST, port: 5432, user: 'app_ro' },
    ...{ region: 'us-east-1', expiresAt: '2026-11-23T10:15:00Z', expiresIn: 893, cached: true },
    ca: { bundle: '/v1/ca/us-east-1.pem', certificates: 3, tlsMode: 'verify-full', pem: PEM },
    ...overrides,
  }
}

/** A problem reply with this status and code. */
export function problem(status: number, code: string, overrides: Record<string, unknown> = {}): StubAnswer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: { code, title: code, status, detail: `why: ${code}`, requestId: 'req-1', ...overrides },
  }
}

/** Text in the form of a JWT, with random bytes. */
export function someJwt(): string {
  return [36, 90, 64].map(bytes => randomBytes(bytes).toString('base64url')).join('.')
}
