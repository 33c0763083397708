import type { WireError } from '../wire/wire-error.ts'
import type { KnownRefusal } from './known-refusal.ts'
import { MYSQL_REFUSALS } from './mysql-refusals.ts'
import { POSTGRES_REFUSALS } from './postgres-refusals.ts'

export const REFUSALS = { postgres: POSTGRES_REFUSALS, mysql: MYSQL_REFUSALS } as const

/** Returns what is known of a refusal; undefined if nothing is. */
export function findKnownRefusal(
  { failure, code, message }: WireError,
  family: keyof typeof REFUSALS,
): KnownRefusal | undefined {
  if (failure !== 'refused' && failure !== 'token_not_wanted') return undefined
  return REFUSALS[family].find(
    ({ codes, text }) => (codes?.includes(code ?? '') ?? true) && (text?.test(message) ?? true),
  )
}

/** Whether a refusal is of the token itself, so that another one may be accepted. */
export function isTokenRefused(refusal: WireError): boolean {
  const { failure, code, message } = refusal
  // RDS Proxy says both with the same first words
  if (failure !== 'refused' || isLoginThrottled(refusal)) return false
  if (code === '1045') return true
  return /^(?:PAM|LDAP|The IAM) authentication failed/.test(message)
}

/** Whether a login failed because there are too many of them, so that the same token may be accepted in a moment. */
export function isLoginThrottled({ failure, message }: WireError): boolean {
  return (
    failure === 'refused' &&
    /too many competing requests|rate limit exceeded|Rate of connection to proxy exceeded/i.test(message)
  )
}
