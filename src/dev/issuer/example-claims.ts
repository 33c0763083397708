import {
  alternatives,
  type ClaimSpec,
  isNested,
  type PrincipalSpec,
  type Scalar,
} from '../../authorization/grant.ts'
import { parseJson } from '../../lib/json.ts'

type Claims = Readonly<Record<string, unknown>>

/** Returns claims of a JWT that meets a grant: of several patterns the first, with `example` for each wildcard. */
export function exampleClaims({ subject, claims = {} }: PrincipalSpec): Claims {
  return { ...(subject !== undefined && { sub: example(subject) }), ...exampleOf(claims) }
}

function exampleOf(spec: ClaimSpec): Claims {
  const entries = Object.entries(spec).map(([name, wanted]) => [
    name,
    isNested(wanted) ? exampleOf(wanted) : example(wanted),
  ])
  return Object.fromEntries(entries)
}

function example(wanted: Scalar | readonly Scalar[]): Scalar {
  const [first = ''] = alternatives(wanted)
  return typeof first === 'string' ? first.replace(/\*+/g, 'example') : first
}

/** Returns the claims that a request wants, none if it is empty; `null` leaves a claim out. Undefined if it is no JSON object. */
export function parseClaims(text: string): Claims | undefined {
  if (text.trim() === '') return {}
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.fromEntries(Object.entries(value).map(([name, claim]) => [name, claim ?? undefined]))
}
