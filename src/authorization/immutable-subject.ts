import { compileWildcard } from './wildcard.ts'

/**
 * GitHub's `sub` with the ids of the owner and the repository, which those have that were created, renamed or transferred since
 * 15 July 2026. No login and no name of a repository has an `@`.
 * https://docs.github.com/actions/reference/security/oidc
 */
const WITH_IDS = /^repo:([^/@:]+)@\d+\/([^/@:]+)@\d+(?=:)/

/** Returns a subject as it was before it had ids; undefined if it has none. */
export function withoutIds(subject: string): string | undefined {
  return WITH_IDS.test(subject) ? subject.replace(WITH_IDS, 'repo:$1/$2') : undefined
}

/** Whether patterns miss a subject for its ids alone: they were written for the form without. */
export function missesForIds(patterns: readonly string[], subject: string): boolean {
  const older = withoutIds(subject)
  const matches = (value: string) => patterns.some(pattern => compileWildcard(pattern)(value))
  return older !== undefined && !matches(subject) && matches(older)
}
