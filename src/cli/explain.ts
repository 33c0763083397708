import { readFile } from 'node:fs/promises'
import type { Principal } from '../authentication/principal.ts'
import { compileGrants } from '../authorization/compiled-grants.ts'
import { explain, type GrantExplanation } from '../authorization/explain.ts'
import type { PartialAccessRequest } from '../authorization/grant.ts'
import { API_KEY_ISSUER } from '../config/checks/issuers.ts'
import { loadStaticConfig, type StaticConfig } from '../config/load.ts'
import { ConfigError, describeProblem, namesText } from '../config/problems.ts'
import { escapeText } from '../lib/printable.ts'
import type { Output } from './check.ts'

export interface ExplainArguments extends PartialAccessRequest {
  configPath: string
  /** A file of claims as JSON, or `-` for standard input. */
  claims: string
  /** The issuer's name in the configuration, where `iss` and `aud` do not tell. */
  issuer?: string | undefined
}

export interface ExplainStreams {
  out: Output
  err: Output
  stdin: AsyncIterable<Uint8Array | string>
}

class WrongUsage extends Error {}

/**
 * `jeton explain`: what every grant makes of a principal, nearest miss first. The claims are taken at their word: nothing
 * is verified, and neither the network nor the files that the configuration names are needed. Gives the exit code: 0 where
 * a grant allows it, 3 where none does, 1 where the configuration is broken, 2 for wrong usage.
 */
export async function explainCommand(
  args: ExplainArguments,
  { out, err, stdin }: ExplainStreams,
): Promise<number> {
  try {
    const config = await loadStaticConfig(args.configPath)
    const claims = parseClaims(await textOf(args.claims, stdin))
    const principal = principalOf(claims, { config, named: args.issuer })
    const { database, user } = args
    const explanations = explain(compileGrants(config.grants), principal, { database, user })
    out.write(`principal: issuer ${principal.issuer}, subject ${escapeText(principal.subject)}\n`)
    if (!couldVerify(principal, config))
      err.write(`note: a JWT with this "iss" or "aud" is none that ${principal.issuer} accepts\n`)
    for (const explanation of explanations) out.write(render(explanation))
    const isGranted = explanations.some(({ misses }) => misses === 0)
    if (!isGranted) out.write('\nno grant allows it\n')
    return isGranted ? 0 : 3
  } catch (cause) {
    if (cause instanceof ConfigError) {
      for (const problem of cause.problems) err.write(`${describeProblem(problem)}\n`)
      return 1
    }
    if (!(cause instanceof WrongUsage)) throw cause
    err.write(`jeton: ${cause.message}\n`)
    return 2
  }
}

async function textOf(source: string, stdin: ExplainStreams['stdin']): Promise<string> {
  if (source !== '-')
    return readFile(source, 'utf8').catch(() => {
      throw new WrongUsage(
        '--claims takes the path of a file of claims as JSON, or -: no such file can be read',
      )
    })
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

function parseClaims(text: string): Principal['claims'] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new WrongUsage('the claims are not JSON: give the payload of a JWT, not the JWT')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new WrongUsage('the claims are no JSON object')
  return value as Principal['claims']
}

function principalOf(
  claims: Principal['claims'],
  { config, named }: { config: StaticConfig; named: string | undefined },
): Principal {
  const { sub } = claims
  if (typeof sub !== 'string' || sub === '')
    throw new WrongUsage('the claims lack "sub", which every principal has')
  if (named === API_KEY_ISSUER) return { issuer: API_KEY_ISSUER, subject: sub, claims: {} }
  return {
    issuer: named === undefined ? issuerOf(claims, config) : knownIssuer(named, config),
    subject: sub,
    claims,
  }
}

function knownIssuer(name: string, { issuers }: StaticConfig): string {
  if (issuers.some(issuer => issuer.name === name)) return name
  throw new WrongUsage(`--issuer: there is none of that name (${choiceOf(issuers)})`)
}

function issuerOf(claims: Principal['claims'], { issuers }: StaticConfig): string {
  const candidates = issuers.filter(issuer => claims.iss === issuer.issuer && accepts(issuer, claims))
  const [only, another] = candidates
  if (only && !another) return only.name
  if (only)
    throw new WrongUsage(`keys alone tell whose JWT it is: say it by --issuer (${choiceOf(candidates)})`)
  throw new WrongUsage(
    `no configured issuer has their "iss" and "aud": name one by --issuer (${choiceOf(issuers)}, or ${API_KEY_ISSUER})`,
  )
}

function choiceOf(issuers: StaticConfig['issuers']): string {
  return namesText(issuers.map(({ name }) => name))
}

/** What the claims leave out contradicts nothing. */
function accepts(
  { issuer, audience }: StaticConfig['issuers'][number],
  { iss, aud }: Principal['claims'],
): boolean {
  const isForUs = Array.isArray(aud) ? aud.includes(audience) : aud === undefined || aud === audience
  return isForUs && (iss === undefined || iss === issuer)
}

function couldVerify({ issuer, claims }: Principal, { issuers }: StaticConfig): boolean {
  const trusted = issuers.find(({ name }) => name === issuer)
  return trusted === undefined || accepts(trusted, claims)
}

function render({ grant, database, users, misses, conditions }: GrantExplanation): string {
  const verdict = misses === 0 ? 'allows' : `refuses (${misses} of ${conditions.length} conditions miss)`
  const lines = conditions.map(({ name, wanted, found, holds }) => {
    const brought = holds ? '' : `, found ${found ?? 'nothing'}`
    return `  ${holds ? 'holds ' : 'misses'}  ${escapeText(name)}: wanted ${wanted.map(escapeText).join(' or ')}${brought}\n`
  })
  return `\n${grant} ${verdict}: database ${database}, users ${users.join(', ')}\n${lines.join('')}`
}
