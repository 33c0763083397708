import { compileGrants } from '../authorization/compiled-grants.ts'
import type { PartialAccessRequest } from '../authorization/grant.ts'
import { loadStaticConfig } from '../config/load.ts'
import { UsageError } from '../errors.ts'
import { isoTime, parseRfc3339 } from '../lib/iso-time.ts'
import { escapeText } from '../lib/printable.ts'
import { type ExplainedGrant, explainAccess } from '../vending/explained-access.ts'
import { readClaims } from './explain-claims.ts'
import type { CommandStreams } from './streams.ts'
import { catchUsageErrors } from './usage-error.ts'

export interface ExplainArguments extends PartialAccessRequest {
  configPath: string
  /** A file with a JWT, or with its claims as JSON, or `-` for standard input. */
  claims: string
  /** The issuer's name in the configuration, if `iss` and `aud` do not identify it. */
  issuer?: string | undefined
  /** The moment to ask about, by RFC 3339; default: now. */
  at?: string | undefined
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
    const given = await readClaims(args.claims, stdin)
    const { database, user, now = Date.now() } = args
    const at = args.at === undefined ? now : parseAt(args.at)
    const { principal, notes, grants, isGranted } = explainAccess(given, {
      grants: compileGrants(config.grants),
      issuers: config.issuers,
      issuerName: args.issuer,
      issuerOption: '--issuer',
      request: { database, user },
      now,
      at,
    })
    stdout.write(`principal: issuer ${principal.issuer}, subject ${escapeText(principal.subject)}\n`)
    if (args.at !== undefined) stdout.write(`time: ${isoTime(at)}\n`)
    for (const note of notes) stderr.write(`note: ${note}\n`)
    for (const grant of grants) stdout.write(grantText(grant))
    if (!isGranted) stdout.write('\nno grant allows it\n')
    return isGranted ? 0 : 3
  })
}

function parseAt(text: string): number {
  const ms = parseRfc3339(text)
  if (ms === undefined) throw new UsageError('--at takes a time with a zone, like 2026-12-31T18:00:00Z')
  return ms
}

function grantText({ grant, database, users, misses, conditions, hint }: ExplainedGrant): string {
  const verdict = misses === 0 ? 'allows' : `refuses (${misses} of ${conditions.length} conditions miss)`
  const lines = conditions.map(({ name, wanted, found, holds }) => {
    const actual = holds ? '' : `, found ${found ?? 'nothing'}`
    return `  ${holds ? 'holds ' : 'misses'}  ${escapeText(name)}: wanted ${wanted.map(escapeText).join(' or ')}${actual}\n`
  })
  if (hint !== undefined) lines.push(`  hint    ${hint}\n`)
  return `\n${grant} ${verdict}: database ${database}, users ${users.map(escapeText).join(', ')}\n${lines.join('')}`
}
