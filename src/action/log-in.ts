import { clientFamily } from '../client/client-family.ts'
import type { EnvironmentChanges } from '../client/environment.ts'
import { percentEncode } from '../client/forms/percent-encoding.ts'
import { pgpassForm } from '../client/forms/pgpass.ts'
import { type Login, putLoginFiles } from '../client/login-files.ts'
import type { TokenReply } from '../client/token-reply.ts'
import type { Environment } from '../lib/process-input.ts'
import type { ActionInputs } from './inputs.ts'
import { neutralizeVariables } from './job-variables.ts'
import type { PutPrivately } from './private-folder.ts'
import type { Runner } from './runner.ts'

export interface LogInParts {
  runner: Runner
  put: PutPrivately
  env: Environment
}

/**
 * Lets the steps that follow log in: writes the files of a login, which contain the token, and exports the settings that refer
 * to them. The token itself becomes a variable or an output only if the inputs ask for that. Throws CallerError.
 */
export async function logInSteps(
  login: Login,
  inputs: Pick<ActionInputs, 'exports' | 'isTokenWanted'>,
  { runner, put, env }: LogInParts,
): Promise<void> {
  const { reply } = login
  const caFile = login.caFile ?? (await put({ name: 'ca.pem', text: reply.ca?.pem ?? '' }))
  const complete = { ...login, caFile, hasPasswordInFiles: true }
  const { set } = await putLoginFiles(complete, put)
  const passwordFile = await putPasswordFile(complete, put)
  const variables = withoutRefused(set, env)
  const settings = {
    ...(inputs.exports === 'env' ? variables : withoutToken(variables, reply)),
    ...(passwordFile && { PGPASSFILE: passwordFile }),
  }
  if (inputs.exports !== 'none') {
    const neutral = neutralizeVariables(env, { family: clientFamily(reply), names: Object.keys(settings) })
    await runner.exportVariables({ ...neutral, ...settings })
  }
  await runner.setOutputs({
    ...outputsOf(reply),
    'ca-file': caFile,
    ...(passwordFile && { 'pgpass-file': passwordFile }),
    ...(set.MYSQL_HOME && set.MARIADB_HOME && optionFiles(set.MYSQL_HOME, set.MARIADB_HOME)),
    ...(inputs.isTokenWanted && { token: reply.token }),
  })
}

/** lib/pq, the driver of many a tool written in Go, refuses to start with them, whatever their values. */
const REFUSED_BY_TOOLS: readonly string[] = ['PGGSSENCMODE', 'PGSSLCERTMODE']

/** Those go against what libpq finds in a home directory. No step could unset them for a tool, so the job gets none of its own. */
function withoutRefused(set: EnvironmentChanges['set'], env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(set).filter(([name]) => !REFUSED_BY_TOOLS.includes(name) || env[name] !== undefined),
  )
}

async function putPasswordFile(login: Login, put: PutPrivately): Promise<string | undefined> {
  if (clientFamily(login.reply) !== 'postgres') return undefined
  return put({ name: 'pgpass', text: pgpassForm.render({ ...login, caFile: undefined }) })
}

/** Clients find the password in the files: libpq, and drivers that read its password file, with this URL too. */
function withoutToken(set: EnvironmentChanges['set'], { token }: TokenReply): Record<string, string> {
  const { PGPASSWORD: _pg, MYSQL_PWD: _mysql, DATABASE_URL: url = '', ...settings } = set
  return { ...settings, DATABASE_URL: url.replace(`:${percentEncode(token)}@`, '@') }
}

function optionFiles(mysqlHome: string, mariadbHome: string): Record<string, string> {
  return { 'mysql-options-file': `${mysqlHome}/my.cnf`, 'mariadb-options-file': `${mariadbHome}/my.cnf` }
}

/** What is not known is no output, which a workflow reads as an empty text. */
function outputsOf(reply: TokenReply): Record<string, string> {
  const { database, engine, host, port, user, dbname, connect, expiresAt, fingerprint, auditId } = reply
  const known = {
    ...{ database, engine, host, port: String(port), user, dbname, connect },
    ...{ 'expires-at': expiresAt, fingerprint, 'audit-id': auditId },
  }
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
