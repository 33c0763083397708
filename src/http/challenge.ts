/** By their names in lower case, the schemes as they are challenged for (RFC 9110, 11.6.1). */
const CHALLENGES: Readonly<Record<string, string>> = { bearer: 'Bearer', apikey: 'ApiKey' }
const REALM = 'realm="jeton"'
const PLAIN_CHALLENGE = challengeFor('')
/** By the name of the scheme that a credential was shown with. */
const CHALLENGE_FOR = new Map(Object.keys(CHALLENGES).map(name => [name, challengeFor(name)]))

/**
 * Returns `WWW-Authenticate` for a request with this `Authorization`: it names both schemes, and says that a credential is not
 * good only where one was shown, by the scheme that it was shown with (RFC 6750, 3.1).
 */
export function authenticateChallenge(authorization = ''): string {
  const [, scheme = ''] = /^(\S+) +\S/.exec(authorization) ?? []
  return CHALLENGE_FOR.get(scheme.toLowerCase()) ?? PLAIN_CHALLENGE
}

function challengeFor(shownScheme: string): string {
  return Object.entries(CHALLENGES)
    .map(([name, challenge]) =>
      name === shownScheme ? `${challenge} error="invalid_token", ${REALM}` : `${challenge} ${REALM}`,
    )
    .join(', ')
}
