import { measureJson } from '../lib/json.ts'

/** JWTs of real platforms have at most five levels. */
export const MAX_CLAIMS_DEPTH = 32

/** Whether claims are nested deeper than jeton takes them. Measures by a loop: ask before anything that recurses. */
export function isTooDeep(claims: unknown): boolean {
  return measureJson(claims).depth > MAX_CLAIMS_DEPTH
}
