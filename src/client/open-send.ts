import type { FindProxy } from '../lib/egress-proxies.ts'
import type { Environment } from '../lib/process-input.ts'
import { invalidUsage } from './errors.ts'
import type { Send } from './http.ts'
import { createNodeSend } from './node-http.ts'

export interface OpenSendOptions {
  env: Environment
  /** A file with CA certificates to trust besides those of Node, and what errors call it; default: JETON_CACERT. */
  serverCa?: { path: string; name: string } | undefined
}

/**
 * Returns a `Send` as the environment asks for: through the proxy of HTTPS_PROXY and NO_PROXY, and trusting the CA in
 * JETON_CACERT besides those of Node. Throws CallerError (exit code 2) if one of them is wrong, without quoting a proxy's URL.
 */
export async function openSend({ env, serverCa }: OpenSendOptions): Promise<Send> {
  const file = serverCa ?? (env.JETON_CACERT ? { path: env.JETON_CACERT, name: 'JETON_CACERT' } : undefined)
  return createNodeSend({
    findProxy: await proxyFinder(env),
    ca: file && (await import('./server-ca.ts').then(({ readTrustedCas }) => readTrustedCas(file, env))),
  })
}

async function proxyFinder(env: Environment): Promise<FindProxy | undefined> {
  if (!env.https_proxy && !env.HTTPS_PROXY) return undefined
  const { readEgressProxies } = await import('../lib/egress-proxies.ts')
  const { findProxy, problems } = readEgressProxies(env)
  // HTTP_PROXY counts for nothing here
  const problem = problems.find(({ path }) => path.toUpperCase() === 'HTTPS_PROXY')
  if (problem) throw invalidUsage(`${problem.path} ${problem.message}`)
  return findProxy
}
