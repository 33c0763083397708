import { identifyForeignSecret } from './foreign-secret.ts'
import { type Expected, signatureProblems, targetProblems, timeProblems } from './token-checks.ts'
import { type TokenFacts, tokenFacts } from './token-facts.ts'
import type { TokenProblem } from './token-problem.ts'
import { parseTokenText } from './token-text.ts'
import { findTruncation } from './truncation.ts'
import { unwrap } from './wrapping.ts'

/** What a token says and what is wrong with it. Contains neither its signature nor its session token. */
export interface DecodedToken<Fingerprint = string> extends TokenFacts {
  /** Of the text as it was given, without a line break at its end. */
  readonly bytes: number
  /** What records and logs carry in its place; undefined if the text is no whole token. */
  readonly fingerprint?: Fingerprint
  readonly problems: readonly TokenProblem[]
}

export interface DecodeOptions<Fingerprint> extends Expected {
  /** Milliseconds since the epoch. */
  now: number
  /** Returns the hex SHA-256 of a text, or, in a browser, a promise of it. */
  sha256: (text: string) => Fingerprint
}

/**
 * Reads an RDS IAM token, and finds for what a database would refuse it, as far as the text and a clock show it: not whether
 * the signature is right, nor whether the role session still lasts. Never throws, and echoes nothing that may be secret.
 */
export function decodeToken<Fingerprint>(
  given: string,
  { now, sha256, ...expected }: DecodeOptions<Fingerprint>,
): DecodedToken<Fingerprint> {
  const { text, problems: wrapping } = unwrap(given)
  const bytes = byteLength(given.replace(/\r?\n$/, ''))
  const token = parseTokenText(text)
  if (!token) return { bytes, problems: [identifyForeignSecret([given.trim(), text])] }

  const truncation = findTruncation(token, { length: byteLength(given.trim()) })
  const isCut = truncation !== undefined
  const facts = tokenFacts(token, { isCut })
  const problems = [
    ...wrapping,
    ...(truncation ? [truncation] : []),
    ...signatureProblems(token, { facts, isCut }),
    ...targetProblems(token, { facts, isCut, expected }),
    ...timeProblems(facts, now),
  ]
  return { ...facts, bytes, ...(isCut ? {} : { fingerprint: sha256(text) }), problems }
}

/** Of a text in UTF-8. */
function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
