import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Environment } from '../lib/environment.ts'
import { type Dial, dialOf, type Lookup } from './dial.ts'
import { familyOf, variablesFor } from './environment.ts'
import { failed, systemCode } from './errors.ts'
import { mysqlOptions } from './mysql-options.ts'
import type { TokenReply } from './token-reply.ts'

/** All that a command needs to log in, gathered before anything is written or run. */
export interface Login {
  reply: TokenReply
  dial: Dial | undefined
  /** Absolute; undefined where the reply's own bundle is to be written. */
  caFile: string | undefined
}

export async function prepareLogin(
  reply: TokenReply,
  { caFile, lookup }: { caFile: string | undefined; lookup: Lookup },
): Promise<Login> {
  const dial = await dialOf(reply, lookup)
  if (caFile === undefined) return { reply, dial, caFile }
  const path = resolve(caFile)
  await access(path).catch(cause => {
    throw failed(`cannot read the CA bundle ${path}${systemCode(cause)}`, cause)
  })
  return { reply, dial, caFile: path }
}

/** The caller's own credentials are no business of the command. */
const NOT_HANDED_ON = ['JETON_JWT', 'JETON_API_KEY']

/**
 * Calls `use` with `env` as changed for the login, and with what that refers to in a folder that only this user may enter;
 * the folder is gone when this settles. The token is in the environment alone, never in a file.
 */
export async function withLogin<T>(
  login: Login,
  env: Environment,
  use: (env: Environment) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(resolve(env.TMPDIR || '/tmp', 'jeton-')).catch(cause => {
    throw failed(`cannot make a temporary folder${systemCode(cause)}`, cause)
  })
  try {
    const set = await written(login, folder).catch(cause => {
      throw failed(`cannot write to the temporary folder${systemCode(cause)}`, cause)
    })
    return await use(changed(env, set.set, [...NOT_HANDED_ON, ...set.unset]))
  } finally {
    // How the command ended matters more than a leftover without a secret in it.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function written({ reply, dial, caFile: given }: Login, folder: string) {
  const caFile = given ?? join(folder, 'ca.pem')
  if (given === undefined) await writeFile(caFile, reply.ca?.pem ?? '', { mode: 0o600 })
  const { set, unset } = variablesFor(reply, { caFile, dial })
  if (familyOf(reply) === 'postgres') return { set, unset }

  const options = mysqlOptions({ reply, caFile, dial })
  const homes = { MARIADB_HOME: join(folder, 'mariadb'), MYSQL_HOME: join(folder, 'mysql') }
  await writeHome(homes.MARIADB_HOME, options.mariadb)
  await writeHome(homes.MYSQL_HOME, options.mysql)
  return { set: { ...set, ...homes, LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN: '1' }, unset }
}

/** MySQL's clients pass over an option file that others may write to. */
async function writeHome(home: string, text: string): Promise<void> {
  await mkdir(home, { mode: 0o700 })
  await writeFile(join(home, 'my.cnf'), text, { mode: 0o600 })
}

function changed(
  env: Environment,
  set: Readonly<Record<string, string>>,
  unset: readonly string[],
): Environment {
  const kept = Object.entries(env).filter(([name]) => !unset.includes(name))
  return { ...Object.fromEntries(kept), ...set }
}
