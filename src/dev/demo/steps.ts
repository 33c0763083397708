import { readFile } from 'node:fs/promises'
import { verifyToken } from '../aws/rds-verifier.ts'
import { CI, ORDERS_ENDPOINT } from '../built-in-config.ts'
import type { DemoEnvironment, DemoPostgres } from './environment.ts'
import type { DemoServer } from './server.ts'

export interface StepParts {
  readonly environment: DemoEnvironment
  readonly server: DemoServer
  say(line?: string): void
  /** Says an empty line and the numbered title of a step. */
  begin(title: string): void
  /** Runs `jeton` with these arguments and returns what it printed. */
  runJeton(args: readonly string[], env?: Record<string, string>): Promise<string>
  /** Runs a program and returns what it printed. */
  run(file: string, args: readonly string[], env: Record<string, string>): Promise<string>
}

/** The beginning of a token; a whole one is never printed. */
const abbreviate = (token: string) => `${token.slice(0, token.indexOf('&X-Amz-') + 1)}…`

/** A CI job requests a token, twice; RDS and a real database accept it. Throws if they do not. */
export async function showVend(parts: StepParts): Promise<void> {
  const { environment, server, say, begin } = parts
  const jwt = await environment.issuers.sign(CI)
  begin('a CI job asks:   POST /v1/tokens {"database":"orders"}')
  say('                    Authorization: Bearer <JWT of acme/orders, refs/heads/main>')
  const { status, body } = await server.requestToken(jwt)
  const token = String(body.token)
  if (status !== 200) throw new Error(`the vend failed: ${JSON.stringify(body)}`)
  say(`   status ${status}:      ${abbreviate(token)}`)
  say(
    `                    ${token.length} bytes, for ${body.user} until ${body.expiresAt}, by the grant ${body.grant}`,
  )
  const again = await server.requestToken(jwt)
  const isSame = again.body.cached === true && again.body.token === token
  say(
    `   asked again:     ${isSame ? 'the same token, from the cache' : 'another token'}; AssumeRole calls so far: ${environment.sts.calls.length}`,
  )
  const login = { token, user: 'migrator', endpoint: ORDERS_ENDPOINT, sts: environment.sts, now: Date.now() }
  const verification = verifyToken(login)
  if (!verification.ok) throw new Error(`RDS would refuse the token: ${verification.reason}`)
  say(`   RDS would say:   accepted as ${verification.identity}`)
  const { postgres } = environment
  if ('port' in postgres) await logIn(postgres, { token, parts })
  else say(`   nobody logs in:  ${postgres.missing}`)
}

async function logIn(
  { psql, port, caFile }: DemoPostgres,
  { token, parts: { say, run } }: { token: string; parts: StepParts },
): Promise<void> {
  const sql =
    "select current_user || ' on PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)"
  const printed = await run(psql, ['-XAtc', sql], {
    PGHOST: ORDERS_ENDPOINT.host,
    PGHOSTADDR: '127.0.0.1',
    PGPORT: String(port),
    PGDATABASE: 'orders',
    PGUSER: 'migrator',
    PGPASSWORD: token,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: caFile,
  })
  say(`   logged in:       ${printed.trim()}, over verified TLS`)
}

/** Logs in with one command. */
export async function showExec(
  { caFile, psql }: DemoPostgres,
  { environment, server, say, begin, runJeton }: StepParts,
) {
  const sql = "select 'hello from ' || current_user"
  begin(`in one line:     jeton exec orders -- psql -Atc "${sql}"`)
  const env = { JETON_URL: server.url, JETON_JWT: await environment.issuers.sign(CI) }
  const printed = await runJeton(['exec', 'orders', '--ca', caFile, '--', psql, '-XAtc', sql], env)
  say(`   psql said:       ${printed.trim()}`)
}

/** Throws if a caller without a grant gets a token. */
export async function showRefusals({ environment, server, say, begin }: StepParts): Promise<void> {
  const { sign } = environment.issuers
  const anHourAgo = Math.floor(Date.now() / 1000) - 3600
  const callers = [
    ['a feature branch', await sign(CI, { ref: 'refs/heads/feature' })],
    ['an expired JWT', await sign(CI, { iat: anHourAgo - 300, exp: anHourAgo })],
  ] as const
  begin('jeton refuses:')
  for (const [who, jwt] of callers) {
    const { status, body } = await server.requestToken(jwt)
    if (status === 200) throw new Error(`${who} got a token`)
    say(`   ${`${who}:`.padEnd(17)} ${status} ${body.code}: ${body.detail}`)
  }
}

/** Throws if the audit log does not verify. */
export async function showRecord({ environment, say, begin, runJeton }: StepParts): Promise<void> {
  const { auditFile } = environment
  begin('the audit record, written before the token was delivered:')
  const lines = (await readFile(auditFile, 'utf8')).trim().split('\n')
  const vended = lines.find(line => line.includes('"decision":"vended"')) ?? '{}'
  const { decision, principal, grant, user, fingerprint, hash } = JSON.parse(vended)
  const [who, what, proof] = [
    { decision, principal: { issuer: principal.issuer, subject: principal.subject } },
    { claims: principal.claims },
    { grant, user, fingerprint: `${fingerprint.slice(0, 16)}…`, hash: `${hash.slice(0, 16)}…` },
  ].map(members => JSON.stringify(members).slice(1, -1))
  say(`   {${who?.slice(0, -1)},`)
  say(`    ${what}},`)
  say(`    ${proof}}`)
  const verified = await runJeton(['audit', 'verify', auditFile])
  say(`   jeton audit verify: ${verified.trim().replace(/[0-9a-f]{48}$/, '…')}`)
}
