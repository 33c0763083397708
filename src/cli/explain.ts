import { API_KEY_ISSUER } from '../authentication/api-key.ts'
import { acceptsAudience } from '../authentication/audience.ts'
import type { Principal } from '../authentication/principal.ts'
import { compileGrants } from '../authorization/compiled-grants.ts'
import { explain, type GrantExplanation } from '../authorization/explain.ts'
import type { PartialAccessRequest } from '../authorization/grant.ts'
import { missesForIds } from '../authorization/immutable-subject.ts'
import { findKnownClaims } from '../authorization/tenancy/issuer-claims.ts'
import { loadStaticConfig, type StaticConfig } from '../config/load.ts'
import { namesText } from '../config/problems.ts'
import { UsageError } from '../errors.ts'
import { escapeText } from '../lib/printable.ts'
import { readClaims } from './explain-claims.ts'
import { jwtNotes } from './jwt-notes.ts'
import type { CommandStreams } from './streams.ts'
import { catchUsageErrors } from './usage-error.ts'

export interface ExplainArguments extends PartialAccessRequest {
  configPath: string
  /** A file with a JWT, or with its claims as JSON, or `-` for standard input. */
  claims: string
  /** The issuer's name in the configuration, if `iss` and `aud` do not identify it. */
  issuer?: string | undefined
  /** The time in milliseconds; default: the machine's. */
  now?: number | undefined
}

/**
 * `jeton explain`: prints what every grant decides about a principal, nearest miss first. Believes the claims without
 * verifying them, notes on stderr what of a JWT would not verify, and needs neither the network nor the files that the
 * configuration names. Returns the exit code: 0 if a grant allows the request, 3 if none does, 2 for a usage error. Throws
 * `ConfigError`.
 */
export function explainCommand(
  args: ExplainArguments,
  { stdin, stdout, stderr }: CommandStreams,
): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const config = await loadStaticConfig(args.configPath)
    const { claims, jwt } = await readClaims(args.claims, stdin)
    const principal = toPrincipal(claims, { config, issuerName: args.issuer, isJwt: jwt !== undefined })
    const { database, user } = args
    const explanations = explain(compileGrants(config.grants), { principal, request: { database, user } })
    stdout.write(`principal: issuer ${principal.issuer}, subject ${escapeText(principal.subject)}\n`)
    const configured = config.issuers.find(({ name }) => name === principal.issuer)
    const { now = Date.now() } = args
    const notes = [
      ...(jwt === undefined ? [] : jwtNotes({ jwt, claims, demands: configured, now })),
      ...(configured && !couldVerify(configured, { claims, isJwt: jwt !== undefined })
        ? [`${principal.issuer} accepts no JWT with this "iss"${jwt === undefined ? ' or "aud"' : ''}`]
        : []),
    ]
    for (const note of notes) stderr.write(`note: ${note}\n`)
    for (const explanation of explanations)
      stdout.write(explanationText(explanation) + idsText(explanation, { principal, configured }))
    const isGranted = explanations.some(({ misses }) => misses === 0)
    if (!isGranted) stdout.write('\nno grant allows it\n')
    return isGranted ? 0 : 3
  })
}

function toPrincipal(
  claims: Principal['claims'],
  { config, issuerName, isJwt }: { config: StaticConfig; issuerName: string | undefined; isJwt: boolean },
): Principal {
  const { sub } = claims
  if (typeof sub !== 'string' || sub === '')
    throw new UsageError('the claims have no "sub", which every principal needs')
  if (issuerName === API_KEY_ISSUER) return { issuer: API_KEY_ISSUER, subject: sub, claims: {} }
  const issuer =
    issuerName === undefined ? issuerOf(claims, { config, isJwt }) : requireIssuer(issuerName, config)
  return { issuer, subject: sub, claims }
}

function requireIssuer(name: string, { issuers }: StaticConfig): string {
  if (issuers.some(issuer => issuer.name === name)) return name
  throw new UsageError(
    `--issuer: the configuration has no issuer of that name; it has: ${issuerNames(issuers)}`,
  )
}

/** A JWT that is for another audience than its only possible issuer's is explained all the same, with a note. */
function issuerOf(
  claims: Principal['claims'],
  { config: { issuers }, isJwt }: { config: StaticConfig; isJwt: boolean },
): string {
  const named = issuers.filter(issuer => claims.iss === issuer.issuer)
  const accepting = named.filter(issuer => accepts(issuer, claims))
  const candidates = isJwt && accepting.length === 0 && named.length === 1 ? named : accepting
  const [only, another] = candidates
  if (only && !another) return only.name
  if (only)
    throw new UsageError(
      `several issuers have this "iss" and "aud", and only their keys tell them apart: name one with --issuer (${issuerNames(candidates)})`,
    )
  throw new UsageError(
    `no configured issuer has this "iss" and "aud": name one with --issuer (${issuerNames(issuers)}, or ${API_KEY_ISSUER})`,
  )
}

function issuerNames(issuers: StaticConfig['issuers']): string {
  return namesText(issuers.map(({ name }) => name))
}

/** Claims that are missing contradict nothing. */
function accepts(configured: StaticConfig['issuers'][number], { iss, aud }: Principal['claims']): boolean {
  const isAudience = aud === undefined || acceptsAudience(configured, aud)
  return isAudience && (iss === undefined || iss === configured.issuer)
}

/** The audience of a JWT has a note of its own. */
function couldVerify(
  configured: StaticConfig['issuers'][number],
  { claims, isJwt }: { claims: Principal['claims']; isJwt: boolean },
): boolean {
  return isJwt ? claims.iss === configured.issuer : accepts(configured, claims)
}

function explanationText({ grant, database, users, misses, conditions }: GrantExplanation): string {
  const verdict = misses === 0 ? 'allows' : `refuses (${misses} of ${conditions.length} conditions miss)`
  const lines = conditions.map(({ name, wanted, found, holds }) => {
    const actual = holds ? '' : `, found ${found ?? 'nothing'}`
    return `  ${holds ? 'holds ' : 'misses'}  ${escapeText(name)}: wanted ${wanted.map(escapeText).join(' or ')}${actual}\n`
  })
  return `\n${grant} ${verdict}: database ${database}, users ${users.map(escapeText).join(', ')}\n${lines.join('')}`
}

/** Says that a grant misses a subject of GitHub for its ids alone, which none had when most grants were written. */
function idsText(
  { conditions }: GrantExplanation,
  {
    principal,
    configured,
  }: { principal: Principal; configured: StaticConfig['issuers'][number] | undefined },
): string {
  const isGithub = configured !== undefined && findKnownClaims(configured.issuer)?.name === 'GitHub Actions'
  const isMissed = conditions.some(
    ({ name, wanted, holds }) =>
      (name === 'subject' || name === 'claim sub') && !holds && missesForIds(wanted, principal.subject),
  )
  return isGithub && isMissed ? IMMUTABLE_SUBJECT_HINT : ''
}

const IMMUTABLE_SUBJECT_HINT = `  hint    this subject has ids, as those of repositories that were created, renamed or transferred since 15 July 2026 do, and the grant is for the form without: match the claim repository_id or repository_owner_id instead
`
