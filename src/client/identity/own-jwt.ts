import { isoSeconds } from '../../lib/iso-time.ts'
import { type JsonObject, parseJsonObject } from '../../lib/json.ts'
import { fitForTerminal } from '../errors.ts'

/** What a caller's own JWT says, as it is written in it: nothing is verified, and its signature is not looked at. */
export interface OwnJwt {
  issuer?: string
  subject?: string
  audience: readonly string[]
  /** ISO 8601. */
  issuedAt?: string
  /** ISO 8601. */
  expiresAt?: string
  /** What looks wrong, each a sentence. */
  problems: readonly string[]
}

export interface OwnJwtOptions {
  /** In milliseconds since the epoch. */
  now: number
  /** The audience that the caller means: JETON_AUDIENCE, or `jeton`. */
  audience: string
}

/** Returns what the JWT of a header `Bearer …` says, and what looks wrong with it; undefined for another kind of credential. */
export function readOwnJwt(authorization: string, { now, audience }: OwnJwtOptions): OwnJwt | undefined {
  const [scheme, jwt = ''] = authorization.split(' ')
  if (scheme !== 'Bearer') return undefined
  const parts = jwt.split('.')
  const [header, payload] = parts.map(decodePart)
  if (parts.length !== 3 || !header || !payload)
    return { audience: [], problems: ['it is not a JWT: one has three parts with dots between them'] }
  const audiences = [payload.aud].flat().filter(isText)
  const [issuedAt, expiresAt] = [timeText(payload.iat), timeText(payload.exp)]
  return {
    ...(isText(payload.iss) && { issuer: payload.iss }),
    ...(isText(payload.sub) && { subject: payload.sub }),
    audience: audiences,
    ...(issuedAt !== undefined && { issuedAt }),
    ...(expiresAt !== undefined && { expiresAt }),
    problems: [
      ...timeProblems(payload, now),
      ...claimProblems(payload),
      ...audienceProblems(audiences, audience),
      ...headerProblems(header),
    ],
  }
}

function timeProblems({ exp, nbf }: JsonObject, now: number): string[] {
  if (typeof exp !== 'number') return ['it has no exp: jeton accepts no JWT that never expires']
  if (exp * 1000 <= now) return [`it expired ${Math.ceil((now - exp * 1000) / 1000)} s ago: get a new one`]
  const isEarly = typeof nbf === 'number' && nbf * 1000 > now
  return isEarly
    ? [`it is not valid yet, but ${nbf - Math.floor(now / 1000)} s from now: is a clock wrong?`]
    : []
}

function claimProblems({ iss, sub }: JsonObject): string[] {
  return [
    ...(isText(iss) ? [] : ['it has no iss, by which the server finds its issuer']),
    ...(isText(sub) ? [] : ['it has no sub, which jeton requires']),
  ]
}

function audienceProblems(audiences: readonly string[], wanted: string): string[] {
  if (audiences.includes(wanted)) return []
  const found =
    audiences.length === 0 ? 'it has no aud' : `its audience is ${fitForTerminal(audiences.join(', '))}`
  return [`${found}, and not ${wanted}: unless the server's issuer has it as its audience, it is refused`]
}

function headerProblems({ alg }: JsonObject): string[] {
  const isShared = isText(alg) && /^(?:HS\d+|none)$/i.test(alg)
  return isShared ? [`its alg is ${alg}, which no public key can verify`] : []
}

function decodePart(part: string): JsonObject | undefined {
  return parseJsonObject(Buffer.from(part, 'base64url'))
}

function timeText(seconds: unknown): string | undefined {
  const isDate = typeof seconds === 'number' && Math.abs(seconds) <= 8.64e12
  return isDate ? isoSeconds(seconds * 1000) : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
