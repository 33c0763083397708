import { API_KEY_ISSUER } from '../authentication/api-key.ts'
import type { GrantSpec } from '../authorization/grant.ts'
import type { Config } from '../config/config.ts'
import { sha256Hex } from '../lib/hash.ts'
import { shellWord } from '../lib/shell-words.ts'
import { DEV_API_KEY } from './built-in-config.ts'
import { replacedParts } from './stand-in-config.ts'

export interface UseOptions {
  /** Where the server listens. */
  url: string
  /** Where its console is, if it is on. */
  console: string | undefined
  /** Returns where an issuer's JWTs are to be had. */
  jwtUrlOf(issuer: string): string
}

/** Returns, for a terminal, what of a server under `--dev` stands in, and commands that request a token from it. */
export function describeUse(config: Config, { url, console, jwtUrlOf }: UseOptions): string {
  const { issuers, grants } = config
  const names = issuers.map(({ name }) => name).join(', ')
  const lines = [
    `jeton serve --dev at ${url}, for development alone`,
    '',
    'stands in    AWS STS: the tokens look real and open no database of AWS',
    ...(names === '' ? [] : [`             the issuers (${names}): real JWTs of theirs are refused`]),
    ...replacedParts(config).map(part => `             ${part}`),
    'real         HTTP (without TLS), JWTs, grants, the cache, limits, records',
    ...(console === undefined ? [] : [`console      ${console}, for a browser`]),
    ...issuers.flatMap(({ name }) => jwtLines(grants, { name, jwtUrl: jwtUrlOf(name) })),
    ...tokenLines(config, { url, jwtUrlOf }),
    '',
    '',
  ]
  return lines.join('\n')
}

function jwtLines(
  grants: readonly GrantSpec[],
  { name, jwtUrl }: { name: string; jwtUrl: string },
): string[] {
  const grant = grants.find(({ principal }) => principal.issuer === name)
  return [
    '',
    grant ? `A JWT that the grant ${grant.name} allows, and one with other claims:` : `A JWT of ${name}:`,
    `  curl -s ${jwtUrl}`,
    `  curl -s ${jwtUrl} -d '{"sub":"someone","${firstClaim(grant)}":"other"}'`,
  ]
}

const firstClaim = (grant: GrantSpec | undefined) => Object.keys(grant?.principal.claims ?? {})[0] ?? 'name'

/** With the first grant for a principal with a JWT, and with the built-in API key if the configuration has it. */
function tokenLines({ grants, apiKeys }: Config, { url, jwtUrlOf }: Omit<UseOptions, 'console'>): string[] {
  const jwtGrant = grants.find(({ principal }) => principal.issuer !== API_KEY_ISSUER)
  const keyGrant = apiKeys.dev?.includes(sha256Hex(DEV_API_KEY))
    ? grants.find(({ principal }) => principal.issuer === API_KEY_ISSUER && principal.subject === 'dev')
    : undefined
  // with the user, for other grants may allow more of them
  const request = ({ database, users }: GrantSpec) =>
    `jeton token ${database} --user ${shellWord(users[0] ?? '')}`
  return [
    '',
    'A token, in another terminal:',
    `  export JETON_URL=${url}`,
    ...(jwtGrant
      ? [
          `  export JETON_JWT=$(curl -s ${jwtUrlOf(jwtGrant.principal.issuer)})`,
          `  ${request(jwtGrant)} -o json`,
          `  curl -s $JETON_URL/v1/tokens -H "Authorization: Bearer $JETON_JWT" -H 'Content-Type: application/json' -d ${shellWord(JSON.stringify({ database: jwtGrant.database, user: jwtGrant.users[0] }))}`,
        ]
      : []),
    ...(keyGrant ? [`  JETON_JWT= JETON_API_KEY=${DEV_API_KEY} ${request(keyGrant)} -o json`] : []),
  ]
}
