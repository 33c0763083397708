import type { IncomingMessage, ServerResponse } from 'node:http'
import { type JSONWebKeySet, SignJWT } from 'jose'
import { isLoopback } from '../../lib/loopback.ts'
import { readTextUpTo } from '../../lib/process-input.ts'
import { serveOnLoopback } from '../loopback-server.ts'
import { parseClaims } from './example-claims.ts'
import { createSigningKey, type SigningKey } from './signing-key.ts'

/** An issuer whose JWTs the stand-in signs. */
export interface StandInIssuer {
  readonly name: string
  /** The `iss` of its JWTs. */
  readonly issuer: string
  readonly audience: string
  /** From `iat` to `exp`. */
  readonly lifetimeSeconds: number
  /** Claims of every JWT, unless whoever asks for one replaces them. */
  readonly claims: Readonly<Record<string, unknown>>
}

export interface IssuerStandIns {
  /** Where an issuer of that name has its discovery document, and at `/jwt` its JWTs. */
  urlOf(name: string): string
  /** Replaces the issuers. An issuer that stays keeps its key. */
  publish(issuers: readonly StandInIssuer[]): Promise<void>
  /** Returns the public keys of a published issuer. Throws if there is none of that name. */
  keysOf(name: string): JSONWebKeySet
  /** Returns a JWT of a published issuer with these claims in place of its own; `undefined` leaves one out. Throws if there is none. */
  sign(name: string, claims?: Readonly<Record<string, unknown>>): Promise<string>
  close(): Promise<void>
}

const DISCOVERY = '.well-known/openid-configuration'
const KEYS = 'keys.json'
const MAX_CLAIMS_BYTES = 16 * 1024

interface Published {
  readonly issuer: StandInIssuer
  readonly key: SigningKey
}

/**
 * Starts stand-ins for issuers on loopback, each with a key made in this run. Whoever can connect gets a JWT with any claims
 * from `/NAME/jwt`: by GET with the issuer's own, by POST with those of a JSON object in their place.
 */
export async function startIssuerStandIns(now: () => number): Promise<IssuerStandIns> {
  let published = new Map<string, Published>()

  function find(name: string): Published {
    const found = published.get(name)
    if (!found) throw new Error(`there is no issuer ${name}`)
    return found
  }

  async function sign(name: string, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { issuer, key } = find(name)
    const iat = Math.floor(now() / 1000)
    const { issuer: iss, audience: aud, lifetimeSeconds } = issuer
    const defaults = { iss, aud, sub: 'dev', iat, exp: iat + lifetimeSeconds, ...issuer.claims }
    const { alg = '', kid = '' } = key.publicKey
    return new SignJWT({ ...defaults, ...claims }).setProtectedHeader({ alg, kid }).sign(key.privateKey)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isForThisMachine(request)) return send(response, 403, 'only for this machine: ask 127.0.0.1\n')
    const [, name = '', document = ''] = /^\/([^/?]+)\/([^?]*)/.exec(request.url ?? '') ?? []
    const found = published.get(name)
    if (!found) return send(response, 404, `issuers: ${[...published.keys()].join(', ')}\n`)
    const url = urlOf(found.issuer.name)
    if (document === DISCOVERY)
      return sendJson(response, { issuer: found.issuer.issuer, jwks_uri: `${url}/${KEYS}` })
    if (document === KEYS) return sendJson(response, { keys: [found.key.publicKey] })
    if (document !== 'jwt') return send(response, 404, `a JWT: ${url}/jwt\n`)
    const claims = parseClaims((await readTextUpTo(request, MAX_CLAIMS_BYTES)) ?? '[]')
    if (!claims) return send(response, 400, `send the claims as a JSON object of at most 16 KiB\n`)
    send(response, 200, `${await sign(found.issuer.name, claims)}\n`)
  }

  const listener = await serveOnLoopback(answer)
  const urlOf = (name: string) => `${listener.url}/${name}`

  return {
    urlOf,
    sign,
    async publish(issuers) {
      const entries = issuers.map(async issuer => {
        const key = published.get(issuer.name)?.key ?? (await createSigningKey(`dev-${issuer.name}`))
        return [issuer.name, { issuer, key }] as const
      })
      published = new Map(await Promise.all(entries))
    },
    keysOf: name => ({ keys: [find(name).key.publicKey] }),
    close: listener.close,
  }
}

/** A web page whose host was made to resolve to loopback would otherwise read what it is sent. */
function isForThisMachine({ headers: { host = '' } }: IncomingMessage): boolean {
  return isLoopback(host.replace(/:\d+$/, ''))
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(text)
}
