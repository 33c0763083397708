import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Environment } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { type ConnectAddress, type Lookup, resolveConnectAddress } from './connect-address.ts'
import { withholdCredentials } from './credential-variables.ts'
import { clientFamily, type EnvironmentChanges, environmentChanges } from './environment.ts'
import { failure } from './errors.ts'
import { mysqlOptions } from './mysql-options.ts'
import type { TokenReply } from './token-reply.ts'

/** All that a command needs to log in, complete before anything is written or started. */
export interface Login {
  reply: TokenReply
  connectAddress: ConnectAddress | undefined
  /** An absolute path; undefined if the reply's own CA bundle is to be written. */
  caFile: string | undefined
}

/** Completes a login. Throws CallerError if the connect address cannot be resolved or the CA bundle cannot be read. */
export async function prepareLogin(
  reply: TokenReply,
  { caFile, lookup }: { caFile: string | undefined; lookup: Lookup },
): Promise<Login> {
  const connectAddress = await resolveConnectAddress(reply, lookup)
  if (caFile === undefined) return { reply, connectAddress, caFile }
  const path = resolve(caFile)
  await access(path).catch(cause => {
    throw failure(`cannot read the CA bundle ${path}${systemCodeNote(cause)}`, cause)
  })
  return { reply, connectAddress, caFile: path }
}

/**
 * Returns what `run` returns with `env` changed for the login, and without the caller's credentials. The files that the environment refers to are in a folder that
 * only this user can enter and that is removed before this settles. The token is only in the environment, never in a file.
 */
export async function withLogin<T>(
  login: Login,
  { env, run }: { env: Environment; run: (env: Environment) => Promise<T> },
): Promise<T> {
  const folder = await mkdtemp(resolve(env.TMPDIR || '/tmp', 'jeton-')).catch(cause => {
    throw failure(`cannot create a temporary folder${systemCodeNote(cause)}`, cause)
  })
  try {
    const changes = await writeLoginFiles(login, folder).catch(cause => {
      throw failure(`cannot write to the temporary folder${systemCodeNote(cause)}`, cause)
    })
    return await run(applyChanges(env, changes))
  } finally {
    // how the command ended matters more than a file without secrets that stays behind
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function writeLoginFiles(
  { reply, connectAddress, caFile: givenCaFile }: Login,
  folder: string,
): Promise<EnvironmentChanges> {
  const caFile = givenCaFile ?? join(folder, 'ca.pem')
  if (givenCaFile === undefined) await writeFile(caFile, reply.ca?.pem ?? '', { mode: 0o600 })
  const { set, unset } = environmentChanges(reply, { caFile, connectAddress })
  if (clientFamily(reply) === 'postgres') return { set, unset }

  const options = mysqlOptions({ reply, caFile, connectAddress })
  const homes = { MARIADB_HOME: join(folder, 'mariadb'), MYSQL_HOME: join(folder, 'mysql') }
  await writeOptionFile(homes.MARIADB_HOME, options.mariadb)
  await writeOptionFile(homes.MYSQL_HOME, options.mysql)
  const switches = {
    LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN: '1',
    // a file that is not there: MySQL's clients would read ~/.mylogin.cnf last, and its user and password would win
    MYSQL_TEST_LOGIN_FILE: join(folder, 'no-login-paths'),
  }
  return { set: { ...set, ...homes, ...switches }, unset }
}

/** MySQL's clients ignore an option file that others may write to. */
async function writeOptionFile(home: string, text: string): Promise<void> {
  await mkdir(home, { mode: 0o700 })
  await writeFile(join(home, 'my.cnf'), text, { mode: 0o600 })
}

function applyChanges(env: Environment, { set, unset }: EnvironmentChanges): Environment {
  const kept = Object.entries(withholdCredentials(env)).filter(([name]) => !unset.includes(name))
  return { ...Object.fromEntries(kept), ...set }
}
