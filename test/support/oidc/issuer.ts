import { createServer, type ServerResponse } from 'node:http'
import { CompactSign, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'

export type Algorithm = 'ES256' | 'RS256' | 'EdDSA'
export type IssuerFault = 'down' | 'slow' | 'oversized' | 'redirect' | 'wrong-issuer' | 'garbage'

export interface IssuerOptions {
  algorithm?: Algorithm
  /** Milliseconds since the epoch; the machine's clock unless given. */
  now?: () => number
}

export interface SignOptions {
  /** 300 unless given; negative for an expired JWT. */
  expiresInSeconds?: number
  /** Overrides `{ alg, kid }`; undefined removes a member. */
  header?: Record<string, unknown>
}

/** A stand-in OIDC issuer: real keys, real HTTP on loopback, faults on demand. */
export interface Issuer {
  /** The issuer: `http://127.0.0.1:PORT`. */
  readonly url: string
  /** Returns a JWT. `claims` override the defaults of `iss`, `aud` (jeton), `sub`, `iat`, `exp`; undefined removes one. */
  sign(claims?: Record<string, unknown>, options?: SignOptions): Promise<string>
  /** Returns a JWT with this payload, which `JSON.stringify` may not be able to write. */
  signText(payload: string): Promise<string>
  /** Returns the public keys that are published now. */
  jwks(): { keys: JWK[] }
  /** Makes a new signing key, `key-2` after `key-1` unless `kid` says. The old ones are no longer published, unless `keepOld`. */
  rotate(options?: { keepOld?: boolean; kid?: string }): Promise<void>
  /** How often each document was requested. */
  readonly requests: { discovery: number; keys: number }
  /** The fault of every reply, until it is set to undefined. */
  fault: IssuerFault | undefined
  close(): Promise<void>
}

const DISCOVERY = '/.well-known/openid-configuration'
const KEYS = '/keys.json'

export async function startIssuer({
  algorithm = 'ES256',
  now = Date.now,
}: IssuerOptions = {}): Promise<Issuer> {
  const createKey = async (number: number, kid = `key-${number}`) => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm)
    return { kid, number, privateKey, public: { ...(await exportJWK(publicKey)), kid, alg: algorithm } }
  }
  let signing = await createKey(1)
  let published: JWK[] = [signing.public]
  let fault: IssuerFault | undefined
  const requests = { discovery: 0, keys: 0 }

  const server = createServer((request, response) => {
    const path = (request.url ?? '/').replace(/^\/moved/, '')
    if (path === DISCOVERY) requests.discovery++
    else if (path === KEYS) requests.keys++
    else return void response.writeHead(404).end()
    const issuer = fault === 'wrong-issuer' ? 'https://someone.example' : url
    const document = path === KEYS ? { keys: published } : { issuer, jwks_uri: `${url}${KEYS}` }
    reply(response, { fault: request.url === path ? fault : undefined, path, document })
  })
  const { url, close } = await listenOnLoopback(server)

  return {
    url,
    requests,
    jwks: () => ({ keys: published }),
    get fault() {
      return fault
    },
    set fault(next) {
      fault = next
    },
    async sign(claims = {}, { expiresInSeconds = 300, header = {} } = {}) {
      const iat = Math.floor(now() / 1000)
      const defaults = { iss: url, aud: 'jeton', sub: 'someone', iat, exp: iat + expiresInSeconds }
      const crit = Array.isArray(header.crit) ? header.crit.map(name => [name, true]) : []
      return new SignJWT({ ...defaults, ...claims } as JWTPayload)
        .setProtectedHeader({ alg: algorithm, kid: signing.kid, ...header })
        .sign(signing.privateKey, { crit: Object.fromEntries(crit) })
    },
    signText(payload) {
      return new CompactSign(Buffer.from(payload))
        .setProtectedHeader({ alg: algorithm, kid: signing.kid })
        .sign(signing.privateKey)
    },
    async rotate({ keepOld = false, kid } = {}) {
      signing = await createKey(signing.number + 1, kid)
      published = keepOld ? [...published, signing.public] : [signing.public]
    },
    close,
  }
}

interface Reply {
  fault: IssuerFault | undefined
  path: string
  document: object
}

function reply(response: ServerResponse, { fault, path, document }: Reply): void {
  if (fault === 'slow') return
  if (fault === 'down') return void response.destroy()
  if (fault === 'redirect') return void response.writeHead(302, { location: `/moved${path}` }).end()
  response.writeHead(200, { 'content-type': 'application/json' })
  if (fault === 'garbage') return void response.end('<!doctype html><p>Welcome')
  const padding = fault === 'oversized' ? { padding: 'x'.repeat(300 * 1024) } : {}
  response.end(JSON.stringify({ ...document, ...padding }))
}
