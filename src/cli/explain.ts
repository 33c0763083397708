import { readFile } from 'node:fs/promises'
import { API_KEY_ISSUER } from '../authentication/api-key.ts'
import { acceptsAudience } from '../authentication/audience.ts'
import type { Principal } from '../authentication/principal.ts'
import { compileGrants } from '../authorization/compiled-grants.ts'
import { explain, type GrantExplanation } from '../authorization/explain.ts'
import type { PartialAccessRequest } from '../authorization/grant.ts'
import { loadStaticConfig, type StaticConfig } from '../config/load.ts'
import { namesText } from '../config/problems.ts'
import { UsageError } from '../errors.ts'
import { isJsonObject, parseJson } from '../lib/json.ts'
import { escapeText } from '../lib/printable.ts'
import { readText } from '../lib/process-input.ts'
import type { CommandStreams } from './streams.ts'
import { catchUsageErrors } from './usage-error.ts'

export interface ExplainArguments extends PartialAccessRequest {
  configPath: string
  /** A file of claims as JSON, or `-` for standard input. */
  claims: string
  /** The issuer's name in the configuration, if `iss` and `aud` do not identify it. */
  issuer?: string | undefined
}

/**
 * `jeton explain`: prints what every grant decides about a principal, nearest miss first. Believes the claims without
 * verifying them, and needs neither the network nor the files that the configuration names. Returns the exit code: 0 if a grant
 * allows the request, 3 if none does, 2 for a usage error. Throws `ConfigError`.
 */
export function explainCommand(
  args: ExplainArguments,
  { stdin, stdout, stderr }: CommandStreams,
): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const config = await loadStaticConfig(args.configPath)
    const claims = parseClaims(await readClaims(args.claims, stdin))
    const principal = toPrincipal(claims, { config, issuerName: args.issuer })
    const { database, user } = args
    const explanations = explain(compileGrants(config.grants), { principal, request: { database, user } })
    stdout.write(`principal: issuer ${principal.issuer}, subject ${escapeText(principal.subject)}\n`)
    if (!couldVerify(principal, config))
      stderr.write(`note: ${principal.issuer} accepts no JWT with this "iss" or "aud"\n`)
    for (const explanation of explanations) stdout.write(explanationText(explanation))
    const isGranted = explanations.some(({ misses }) => misses === 0)
    if (!isGranted) stdout.write('\nno grant allows it\n')
    return isGranted ? 0 : 3
  })
}

async function readClaims(source: string, stdin: CommandStreams['stdin']): Promise<string> {
  if (source === '-') return readText(stdin)
  return readFile(source, 'utf8').catch(() => {
    // not quoted: it may be a JWT
    throw new UsageError('--claims takes the path of a file of claims as JSON, or -: this cannot be read')
  })
}

function parseClaims(text: string): Principal['claims'] {
  const value = parseJson(text)
  if (value === undefined)
    throw new UsageError('the claims are not JSON: give the payload of a JWT, not the JWT')
  if (!isJsonObject(value)) throw new UsageError('the claims are not a JSON object')
  return value as Principal['claims']
}

function toPrincipal(
  claims: Principal['claims'],
  { config, issuerName }: { config: StaticConfig; issuerName: string | undefined },
): Principal {
  const { sub } = claims
  if (typeof sub !== 'string' || sub === '')
    throw new UsageError('the claims have no "sub", which every principal needs')
  if (issuerName === API_KEY_ISSUER) return { issuer: API_KEY_ISSUER, subject: sub, claims: {} }
  const issuer = issuerName === undefined ? issuerOf(claims, config) : requireIssuer(issuerName, config)
  return { issuer, subject: sub, claims }
}

function requireIssuer(name: string, { issuers }: StaticConfig): string {
  if (issuers.some(issuer => issuer.name === name)) return name
  throw new UsageError(
    `--issuer: the configuration has no issuer of that name; it has: ${issuerNames(issuers)}`,
  )
}

function issuerOf(claims: Principal['claims'], { issuers }: StaticConfig): string {
  const candidates = issuers.filter(issuer => claims.iss === issuer.issuer && accepts(issuer, claims))
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

function couldVerify({ issuer, claims }: Principal, { issuers }: StaticConfig): boolean {
  const configured = issuers.find(({ name }) => name === issuer)
  return configured === undefined || accepts(configured, claims)
}

function explanationText({ grant, database, users, misses, conditions }: GrantExplanation): string {
  const verdict = misses === 0 ? 'allows' : `refuses (${misses} of ${conditions.length} conditions miss)`
  const lines = conditions.map(({ name, wanted, found, holds }) => {
    const actual = holds ? '' : `, found ${found ?? 'nothing'}`
    return `  ${holds ? 'holds ' : 'misses'}  ${escapeText(name)}: wanted ${wanted.map(escapeText).join(' or ')}${actual}\n`
  })
  return `\n${grant} ${verdict}: database ${database}, users ${users.map(escapeText).join(', ')}\n${lines.join('')}`
}
