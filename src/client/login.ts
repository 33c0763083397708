import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Environment } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { withCommandFolder } from './command-folder.ts'
import { type Lookup, resolveConnectAddress } from './connect-address.ts'
import { withholdCredentials } from './credential-variables.ts'
import type { EnvironmentChanges } from './environment.ts'
import { failure } from './errors.ts'
import { type Login, type PutFile, putLoginFiles } from './login-files.ts'
import { requireInNodeOptions, tunnelModule } from './node-tunnel.ts'
import type { TokenReply } from './token-reply.ts'
import { type UrlVariable, urlVariables } from './url-variables.ts'

/** Completes a login. Throws CallerError if the connect address cannot be resolved or the CA bundle cannot be read. */
export async function prepareLogin(
  reply: TokenReply,
  { caFile, lookup }: { caFile: string | undefined; lookup: Lookup },
): Promise<Login> {
  const connectAddress = await resolveConnectAddress(reply, lookup)
  return { reply, connectAddress, caFile: caFile === undefined ? undefined : await readablePath(caFile) }
}

/** Returns the absolute path of a CA bundle. Throws CallerError if it cannot be read. */
export async function readablePath(caFile: string): Promise<string> {
  const path = resolve(caFile)
  await access(path).catch(cause => {
    throw failure(`cannot read the CA bundle ${path}${systemCodeNote(cause)}`, cause)
  })
  return path
}

export interface WithLoginOptions<T> {
  env: Environment
  /** Variables to set beside those of the login. */
  urls: readonly UrlVariable[]
  run: (env: Environment) => Promise<T>
}

/**
 * Returns what `run` returns with `env` changed for the login, and without the caller's credentials. The files that the
 * environment refers to are in a folder that only this user can enter and that is removed before this settles. The token is
 * only in the environment, never in a file. Throws CallerError if that folder cannot be written.
 */
export async function withLogin<T>(login: Login, { env, urls, run }: WithLoginOptions<T>): Promise<T> {
  return withCommandFolder(env, async ({ put }) =>
    run(applyChanges(env, await changesFor(login, { env, urls, put }))),
  )
}

async function changesFor(
  login: Login,
  { env, urls, put }: { env: Environment; urls: readonly UrlVariable[]; put: PutFile },
): Promise<EnvironmentChanges> {
  const caFile = login.caFile ?? (await put({ name: 'ca.pem', text: login.reply.ca?.pem ?? '' }))
  const complete = { ...login, caFile }
  const { set, unset } = await putLoginFiles(complete, put)
  return {
    set: { ...set, ...(await nodeVariables(complete, { env, put })), ...urlVariables(urls, complete) },
    unset,
  }
}

/** With `connect`, what leads a Node program to it, since drivers for Node dial the name that they verify. */
async function nodeVariables(
  { reply: { host }, connectAddress }: Login,
  { env, put }: { env: Environment; put: PutFile },
): Promise<Record<string, string>> {
  if (!connectAddress || connectAddress.host.toLowerCase() === host.toLowerCase()) return {}
  const text = tunnelModule({ host, connectHost: connectAddress.host })
  return {
    NODE_OPTIONS: requireInNodeOptions(await put({ name: 'node-tunnel.cjs', text }), env.NODE_OPTIONS),
  }
}

/** Returns a command's environment: this one with the changes, and without the caller's credentials. */
export function applyChanges(env: Environment, { set, unset }: EnvironmentChanges): Environment {
  const kept = Object.entries(withholdCredentials(env)).filter(([name]) => !unset.includes(name))
  return { ...Object.fromEntries(kept), ...set }
}
