import { isJsonObject } from '../lib/json.ts'

/** A reply of `POST /v1/tokens`, whose members that the client uses have been checked. `token` is a secret. */
export interface TokenReply {
  token: string
  database: string
  engine: string
  host: string
  port: number
  user: string
  region?: string
  dbname?: string
  connect?: string
  /** ISO 8601, as `expiresAt`. */
  refreshAfter?: string
  expiresAt?: string
  /** Seconds from the reply until the token ends. */
  expiresIn?: number
  fingerprint?: string
  auditId?: string
  ca?: { pem?: string }
}

type Check = (value: unknown) => boolean

/** No control characters: the values become lines of a shell script and of an option file. */
const LINE = /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u

const REQUIRED: Readonly<Record<string, Check>> = {
  token: matches(/^[\u0021-\u007e]+$/),
  database: matches(LINE),
  engine: matches(LINE),
  host: matches(/^[A-Za-z0-9.-]+$/),
  port: value => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535,
  user: matches(LINE),
}

const OPTIONAL: Readonly<Record<string, Check>> = {
  region: matches(LINE),
  dbname: matches(LINE),
  connect: matches(LINE),
  refreshAfter: isTime,
  expiresAt: isTime,
  expiresIn: value => typeof value === 'number' && Number.isFinite(value),
  fingerprint: matches(/^[0-9a-f]{64}$/),
  auditId: matches(LINE),
  ca: isBundle,
}

/** Whether a body has the members of a token reply that the client uses, fit to be passed on to shells and clients. */
export function isTokenReply(body: unknown): body is TokenReply {
  if (!isJsonObject(body)) return false
  const own = (name: string) => (Object.hasOwn(body, name) ? body[name] : undefined)
  return (
    Object.entries(REQUIRED).every(([name, check]) => check(own(name))) &&
    Object.entries(OPTIONAL).every(([name, check]) => own(name) === undefined || check(own(name)))
  )
}

function matches(pattern: RegExp): Check {
  return value => typeof value === 'string' && pattern.test(value)
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && Number.isFinite(Date.parse(value))
}

function isBundle(value: unknown): boolean {
  return isJsonObject(value) && (value.pem === undefined || matches(/-----BEGIN CERTIFICATE-----/)(value.pem))
}
