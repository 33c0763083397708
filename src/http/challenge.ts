/** By their names in lower case, the schemes as they are challenged for (RFC 9110, 11.6.1). */
const CHALLENGES: Readonly<Record<string, string>> = { bearer: 'Bearer', apikey: 'ApiKey' }
const REALM = 'realm="jeton"'

/**
 * Returns `WWW-Authenticate` for a request with this `Authorization`: it names both schemes, and says that a credential is not
 * good only where one was shown, by the scheme that it was shown with (RFC 6750, 3.1).
 */
export function authenticateChallenge(authorization = ''): string {
  const [, scheme = ''] = /^(\S+) +\S/.exec(authorization) ?? []
  return Object.entries(CHALLENGES)
    .map(([name, challenge]) =>
      name === scheme.toLowerCase()
        ? `${challenge} error="invalid_token", ${REALM}`
        : `${challenge} ${REALM}`,
    )
    .join(', ')
}
