import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { findMissing } from '../databases/install.ts'
import { ORDERS } from '../databases/orders.ts'
import { verifyToken } from '../databases/rds-verifier.ts'
import { CLI, type Jeton, runCli, startJeton } from './jeton.ts'
import { startTestEnvironment, type TestEnvironment } from './test-environment.ts'

/**
 * `npm run demo`: shows the main job step by step. The server, HTTP, the JWTs and PostgreSQL are real. AWS STS and RDS's
 * check of a token are stand-ins in this process, because there is no AWS account.
 */
const CLAIMS = {
  sub: 'repo:acme/orders:ref:refs/heads/main',
  repository: 'acme/orders',
  ref: 'refs/heads/main',
}

const say = (line = '') => process.stdout.write(`${line}\n`)
/** The beginning of a token; a whole one is never printed. */
const abbreviate = (token: string) =>
  `${token.slice(0, token.indexOf('&X-Amz-') + 1)}… (${token.length} bytes)`

async function main(): Promise<void> {
  const isOnce = process.argv.includes('--once')
  const missing = new Set((await findMissing(['postgres', 'psql'])).map(({ tool }) => tool))
  say('jeton: an RDS password for a caller that has no AWS credentials')
  say()
  const environment = await startTestEnvironment({ databases: missing.has('postgres') ? [] : ['postgres'] })
  let jeton: Jeton | undefined
  try {
    jeton = await startJeton({
      config: environment.config(),
      env: environment.serverEnv,
      folder: environment.folder,
    })
    say('stand-ins    AWS STS (issues role sessions, checks SigV4) and an OIDC issuer, both on loopback;')
    say(
      "             RDS's check of a token: signature, expiry, endpoint, user and session policy, computed here",
    )
    say(
      `real         jeton serve at ${jeton.url}, HTTP, signed JWTs, the audit log${environment.postgres ? ', PostgreSQL' : ''}`,
    )
    say()
    await showVend(environment, jeton)
    if (environment.postgres && !missing.has('psql')) await showExec(environment, jeton)
    await showRefusals(environment, jeton)
    await showRecord(environment)
    if (!isOnce) await keepRunning(environment, jeton)
  } finally {
    await jeton?.close()
    await environment.close()
  }
}

async function showVend(environment: TestEnvironment, jeton: Jeton): Promise<void> {
  const jwt = await environment.issuer.sign(CLAIMS)
  say(
    '1  a CI job asks:   POST /v1/tokens {"database":"orders"}   Authorization: Bearer <JWT of acme/orders, main>',
  )
  const { status, body } = await jeton.requestToken(`Bearer ${jwt}`, { database: 'orders' })
  const token = String(body.token)
  if (status !== 200) throw new Error(`the vend failed: ${JSON.stringify(body)}`)
  say(`   status ${status}:      ${abbreviate(token)}`)
  say(`   for ${body.user} until ${body.expiresAt}, by ${body.identity}, grant ${body.grant}`)
  const again = await jeton.requestToken(`Bearer ${jwt}`, { database: 'orders' })
  say(
    `   asked again:     cached ${again.body.cached}, the same token ${again.body.token === token}; AssumeRole calls so far: ${environment.sts.calls.length}`,
  )
  const verification = verifyToken({
    token,
    user: 'migrator',
    endpoint: ORDERS,
    sts: environment.sts,
    now: Date.now(),
  })
  say(
    `   RDS would say:   ${verification.ok ? `accepted as ${verification.identity}` : `refused: ${verification.reason}`}`,
  )
  if (!verification.ok) throw new Error('RDS would not accept the token')
  if (environment.postgres) await logIn(environment, { token, port: environment.postgres.port })
  else
    say(
      '   PostgreSQL is not installed (Debian: apt-get install postgresql), so this demo does not log in to one',
    )
}

async function logIn(
  environment: TestEnvironment,
  { token, port }: { token: string; port: number },
): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'migrator',
    database: 'orders',
    password: token,
    ssl: { ca: environment.authority.caPem, servername: ORDERS.host },
  })
  await client.connect()
  const { rows } = await client.query('select current_user, version()')
  await client.end()
  say(
    `   logged in:       ${rows[0].current_user} on ${String(rows[0].version).split(' on ')[0]}, over verified TLS`,
  )
}

async function showExec(environment: TestEnvironment, jeton: Jeton): Promise<void> {
  const sql = "select 'hello from ' || current_user"
  say()
  say(`2  in one line:     jeton exec orders -- psql -Atc "${sql}"`)
  const env = { JETON_URL: jeton.url, JETON_JWT: await environment.issuer.sign(CLAIMS) }
  const ran = await runCli(['exec', 'orders', '--ca', environment.caFile, '--', 'psql', '-Atc', sql], { env })
  if (ran.code !== 0) throw new Error(`jeton exec failed: ${ran.stderr}`)
  say(`   psql said:       ${ran.stdout.trim()}`)
}

async function showRefusals(environment: TestEnvironment, jeton: Jeton): Promise<void> {
  say()
  say('3  jeton refuses:')
  const { sign } = environment.issuer
  const callers = [
    ['a feature branch', await sign({ ...CLAIMS, ref: 'refs/heads/feature' })],
    ['an expired JWT', await sign(CLAIMS, { expiresInSeconds: -3600 })],
  ] as const
  for (const [who, jwt] of callers) {
    const { status, body } = await jeton.requestToken(`Bearer ${jwt}`, { database: 'orders' })
    if (status === 200) throw new Error(`${who} got a token`)
    say(`   ${`${who}:`.padEnd(17)} ${status} ${body.code}: ${body.detail}`)
  }
}

async function showRecord(environment: TestEnvironment): Promise<void> {
  const file = join(environment.folder, 'audit.jsonl')
  say()
  say('4  the audit record, written before the token was delivered:')
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  const vended = lines.find(line => line.includes('"decision":"vended"')) ?? '{}'
  const { decision, principal, grant, user, fingerprint, hash } = JSON.parse(vended)
  say(
    `   ${JSON.stringify({ decision, principal, grant, user, fingerprint: `${fingerprint.slice(0, 16)}…`, hash: `${hash.slice(0, 16)}…` })}`,
  )
  const verified = await runCli(['audit', 'verify', file])
  say(`   jeton audit verify: ${verified.stdout.trim().replace(/[0-9a-f]{48}$/, '…')}`)
  if (verified.code !== 0) throw new Error('the audit log does not verify')
}

async function keepRunning(environment: TestEnvironment, jeton: Jeton): Promise<void> {
  const jwtFile = join(environment.folder, 'jwt')
  await writeFile(jwtFile, await environment.issuer.sign(CLAIMS, { expiresInSeconds: 8 * 3600 }))
  const cli = `node ${CLI}`
  say()
  say('The server keeps running. Try in another terminal:')
  say(`  export JETON_URL=${jeton.url} JETON_JWT_FILE=${jwtFile}`)
  say(
    `  curl -s -H "Authorization: Bearer $(cat $JETON_JWT_FILE)" -H 'Content-Type: application/json' -d '{"database":"orders"}' $JETON_URL/v1/tokens`,
  )
  say(`  ${cli} token orders -o json`)
  if (environment.postgres) say(`  ${cli} exec orders --ca ${environment.caFile} -- psql`)
  say(
    `  echo '{"sub":"me","repository":"acme/orders"}' | ${cli} explain --config ${jeton.configFile} --issuer ci --claims -`,
  )
  say(`  curl -s $JETON_URL/readyz; tail -f ${join(environment.folder, 'audit.jsonl')}`)
  say('Ctrl-C ends everything and removes all files.')
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), jeton.ended])
}

await main()
