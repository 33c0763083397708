import type { JSONWebKeySet, JWK } from 'jose'
import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import { audiencesOf } from '../../authentication/audience.ts'
import { pinKeys } from '../../authentication/issuer-keys.ts'
import { findKeyFault } from '../../authentication/key-faults.ts'
import { determineTenancy, type Tenancy } from '../../authorization/tenancy/tenancy.ts'
import { canonicalJson, parseJson } from '../../lib/json.ts'
import { isSecureUrl } from '../../lib/loopback.ts'
import { messageOf } from '../../lib/system-error.ts'
import type { IssuerConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'
import type { Files } from '../source/files.ts'
import { readFileText } from './file-text.ts'

interface IssuerCheck {
  files: Files
  report: Report
  warnings: Report
}

/** Returns all issuers. Pinned keys that could not be read are undefined, which is reported unless files are not read. */
export async function checkIssuers(
  entries: Sections['issuers'],
  { files, report, warnings }: IssuerCheck,
): Promise<IssuerConfig[]> {
  const issuers: IssuerConfig[] = []
  for (const entry of entries) {
    const [name] = entry
    issuers.push(await checkIssuer(entry, { files, report: report.at(name), warnings: warnings.at(name) }))
  }
  // pinned keys that could not be read are reported already, and may be any
  const hasKnownKeys = ({ jwks }: IssuerConfig, i: number) => entries[i]?.[1].jwksFile === undefined || jwks
  checkDistinct(issuers.filter(hasKnownKeys), report)
  return issuers
}

async function checkIssuer(
  [name, { jwksFile, ...issuer }]: Sections['issuers'][number],
  { files, report, warnings }: IssuerCheck,
): Promise<IssuerConfig> {
  if (name === API_KEY_ISSUER) report.problem('is reserved for API keys: choose another name')
  checkAudiences(audiencesOf(issuer), report)
  if (jwksFile === undefined) {
    const urlProblem = findUrlProblem(issuer.issuer)
    if (urlProblem !== undefined) report.problem(urlProblem, 'issuer')
    return { name, ...issuer }
  }
  const at = { report: report.at('jwksFile'), warnings: warnings.at('jwksFile') }
  return { name, ...issuer, jwks: await readJwks(jwksFile, { files, ...at }) }
}

function checkAudiences(audiences: readonly string[], report: Report): void {
  audiences.forEach((audience, position) => {
    if (audiences.indexOf(audience) < position)
      report.problem('is in the list already: leave it out', 'audience', position)
  })
}

/** Returns the tenancy of each issuer by its name, without those that are reported, here or for their URL. */
export function checkTenancies(entries: Sections['issuers'], report: Report): ReadonlyMap<string, Tenancy> {
  const tenancies = new Map<string, Tenancy>()
  for (const [name, { issuer, tenancy, owner, jwksFile }] of entries) {
    if (jwksFile === undefined && findUrlProblem(issuer) !== undefined) continue
    const found = determineTenancy({ issuer, tenancy, owner, hasPinnedKeys: jwksFile !== undefined })
    if (found.kind === 'problem') report.problem(found.message, name, found.key)
    else tenancies.set(name, found)
  }
  return tenancies
}

/**
 * Several issuers may share a URL if their audiences or keys differ. If both have the same key and an audience in common, a
 * JWT could be from either.
 * Discovered keys are unknown here and taken to differ from pinned ones.
 */
function checkDistinct(issuers: readonly IssuerConfig[], report: Report): void {
  const owners = new Map<string, string>()
  for (const { name, issuer, audience, jwks } of issuers) {
    const keys = jwks === undefined ? ['discovered'] : jwks.keys.map(publicPart)
    const identities = audiencesOf({ audience }).flatMap(aud =>
      keys.map(key => canonicalJson([issuer, aud, key])),
    )
    const twin = identities.map(identity => owners.get(identity)).find(owner => owner !== undefined)
    if (twin !== undefined) {
      const what = Array.isArray(audience) ? 'an audience' : 'audience'
      const same = jwks
        ? `has the issuer and ${what} of issuers.${twin} and shares a key with it`
        : `has the issuer, ${what} and keys of issuers.${twin}`
      report.problem(`${same}, so nothing tells their JWTs apart: use another audience`, name)
    }
    for (const identity of identities) if (!owners.has(identity)) owners.set(identity, name)
  }
}

/** Returns the members that make two keys the same, whatever their ids: RFC 7638, 3.2. */
function publicPart({ kty, crv, x, y, n, e, pub }: JWK): unknown {
  return { kty, crv, x, y, n, e, pub }
}

function findUrlProblem(issuer: string): string | undefined {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || !isSecureUrl(url))
    return 'must be an https URL, because its keys are fetched from there; for keys from a file, set jwksFile'
  if (url.search || url.hash || url.username || url.password || /\s/.test(issuer))
    return 'must be a URL without a query, fragment, credentials or spaces'
  return undefined
}

async function readJwks(
  path: string,
  { files, report, warnings }: IssuerCheck,
): Promise<JSONWebKeySet | undefined> {
  const text = await readFileText(path, { files, report })
  if (text === undefined) return undefined
  const jwks = parseJson(text)
  if (jwks === undefined) {
    const isPem = text.includes('-----BEGIN ')
    report.problem(
      `names a file that is ${isPem ? 'PEM and not' : 'not'} JSON: it must contain a JSON Web Key Set, {"keys": [...]}`,
    )
    return undefined
  }
  try {
    pinKeys(jwks)
  } catch (cause) {
    report.problem(`names a file that cannot be used: ${messageOf(cause, 'is not a JSON Web Key Set')}`)
    return undefined
  }
  await checkKeys((jwks as JSONWebKeySet).keys, { report, warnings })
  return jwks as JSONWebKeySet
}

const MAX_FAULTS = 5

/** Keys that verify nothing are a problem if there are no others. */
async function checkKeys(
  keys: readonly JWK[],
  { report, warnings }: Omit<IssuerCheck, 'files'>,
): Promise<void> {
  const faults = await Promise.all(keys.map(findKeyFault))
  if (!faults.includes(undefined)) {
    const shown = faults.slice(0, MAX_FAULTS).map((fault, position) => `keys.${position} ${fault}`)
    report.problem(`names a file in which no key can verify a JWT: ${shown.join('; ')}`)
    return
  }
  faults.forEach((fault, position) => {
    if (fault !== undefined)
      warnings.problem(`names a file whose keys.${position} verifies nothing: it ${fault}`)
    else if (keys[position]?.kid === undefined)
      warnings.problem(
        `names a file whose keys.${position} has no \`kid\`, so it verifies no JWT that names its key, as those of nearly all issuers do: write the \`kid\` that they have`,
      )
  })
}
