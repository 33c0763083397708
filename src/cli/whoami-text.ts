import type { OwnJwt } from '../client/identity/own-jwt.ts'
import type { WhoamiReply } from '../client/whoami-reply.ts'
import { type FactRow, factLines } from './fact-lines.ts'
import type { TerminalStyle } from './terminal-style.ts'

/** How the caller is known, and what else it could be known by. */
export interface UsedIdentity {
  description: string
  /** What is set too, and does not count, in the order in which it would. */
  ignored: readonly string[]
}

/** What the server says, or, if it refuses or does not answer, what the caller's own JWT does. */
export type Whoami =
  | (WhoamiReply & { identity: UsedIdentity })
  | { principal: null; error: WhoamiError; identity: UsedIdentity; jwt?: OwnJwt }

interface WhoamiError {
  code?: string | undefined
  detail: string
  requestId?: string | undefined
}

/** Returns `jeton whoami` for people: a line for each fact, its label in front of it, and what looks wrong. */
export function whoamiText(whoami: Whoami, style: TerminalStyle): string {
  const rows = [...factRows(whoami), ...identityRows(whoami.identity)]
  return `${factLines(rows, { problems: problemsOf(whoami), style }).join('\n')}\n`
}

function problemsOf(whoami: Whoami): readonly string[] {
  return 'jwt' in whoami && whoami.jwt ? whoami.jwt.problems : []
}

function factRows(whoami: Whoami): FactRow[] {
  if (whoami.principal === null) return 'jwt' in whoami && whoami.jwt ? jwtRows(whoami.jwt) : []
  const { issuer, subject, claims } = whoami.principal
  const databases = whoami.databases.map(({ name, users }) => `${name}: ${users.join(', ')}`)
  return [
    ['issuer', issuer],
    ['subject', subject],
    ...labelled('claims', Object.entries(claims).map(claimText)),
    ...labelled('databases', databases.length > 0 ? databases : ['none']),
  ]
}

function jwtRows({ issuer, subject, audience, issuedAt, expiresAt }: OwnJwt): FactRow[] {
  return [
    ...labelled('iss', issuer === undefined ? [] : [issuer]),
    ...labelled('sub', subject === undefined ? [] : [subject]),
    ...labelled('aud', audience),
    ...labelled('issued', issuedAt === undefined ? [] : [issuedAt]),
    ...labelled('expires', expiresAt === undefined ? [] : [expiresAt]),
  ]
}

function identityRows({ description, ignored }: UsedIdentity): FactRow[] {
  return [['known by', description], ...labelled('ignored', ignored)]
}

/** Returns a row for each text, the label in front of the first. */
function labelled(label: string, texts: readonly string[]): FactRow[] {
  return texts.map((text, index) => [index === 0 ? label : '', text])
}

function claimText([name, value]: [string, unknown]): string {
  return `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`
}
