import type { JSONWebKeySet, JWK } from 'jose'
import { pinKeys } from '../../authentication/issuer-keys.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { IssuerConfig } from '../config.ts'
import type { Report } from '../report.ts'
import type { ConfigFile } from '../schema.ts'
import type { Files } from '../source/files.ts'
import { isLoopback } from './server.ts'

/** The issuer name that the principals of API keys have. */
export const API_KEY_ISSUER = 'apiKey'

type IssuerSection = NonNullable<ConfigFile['issuers']>[string]

/** Gives pinned keys only where they could be read, so that what goes on with it must have no problem reported. */
export async function checkIssuer(
  [name, { issuer, audience, jwksFile }]: readonly [string, IssuerSection],
  { files, report }: { files: Files; report: Report },
): Promise<IssuerConfig> {
  if (name === API_KEY_ISSUER) report.problem('is the name that API keys go by: choose another')
  if (jwksFile === undefined) {
    checkUrl(issuer, report.at('issuer'))
    return { name, issuer, audience }
  }
  return { name, issuer, audience, jwks: await readKeys(jwksFile, { files, report: report.at('jwksFile') }) }
}

/**
 * Several issuers may share a URL where their audiences or keys tell them apart; where a key is in both sets, a JWT could
 * be either's. Keys that are discovered are not known here: they are taken to differ from pinned ones.
 */
export function checkDistinct(issuers: readonly IssuerConfig[], report: Report): void {
  const owners = new Map<string, string>()
  for (const { name, issuer, audience, jwks } of issuers) {
    const keys = jwks === undefined ? ['discovered'] : jwks.keys.map(publicPart)
    const marks = keys.map(key => canonicalJson([issuer, audience, key]))
    const twin = marks.map(mark => owners.get(mark)).find(owner => owner !== undefined)
    if (twin !== undefined)
      report.problem(
        `has the issuer and audience of issuers.${twin} and ${jwks ? 'a key of it' : 'its keys'} too: nothing tells their JWTs apart`,
        name,
      )
    for (const mark of marks) if (!owners.has(mark)) owners.set(mark, name)
  }
}

/** What makes two keys the same, whatever they are called: RFC 7638, 3.2. */
function publicPart({ kty, crv, x, y, n, e, pub }: JWK): unknown {
  return { kty, crv, x, y, n, e, pub }
}

function checkUrl(issuer: string, report: Report): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (!url || !isSafe)
    report.problem('must be an https URL, for its keys are fetched from there (or pin them with jwksFile)')
  else if (url.search || url.hash || url.username || url.password || /\s/.test(issuer))
    report.problem('must be a URL without query, fragment, credentials and spaces')
}

async function readKeys(
  path: string,
  { files, report }: { files: Files; report: Report },
): Promise<JSONWebKeySet | undefined> {
  const text = await files.read(path, report)
  if (text === undefined) return undefined
  let jwks: unknown
  try {
    jwks = JSON.parse(text)
  } catch {
    report.problem('names a file that is not JSON: it needs a JSON Web Key Set, {"keys": [...]}')
    return undefined
  }
  try {
    pinKeys(jwks)
  } catch (cause) {
    report.problem(
      `names a file that cannot be used: ${cause instanceof Error ? cause.message : 'is no key set'}`,
    )
    return undefined
  }
  return jwks as JSONWebKeySet
}
