import type { Config } from './config.ts'

/**
 * What a configuration is loaded for: to be checked (`check`), to be read by a command that does not serve (`describe`), by a
 * server that starts, or by one that runs and has another in use. What cannot work is a problem for all of them; what may
 * work tomorrow, or for some callers, must not keep a server from starting, nor a revocation from taking effect.
 */
export type Purpose = 'check' | 'describe' | 'start' | { readonly reloadOf: Config }

/** Whether a certificate is taken although its dates are not good. `jeton check` takes none, a running server its own. */
export function acceptsUndated(purpose: Purpose, cert: string): boolean {
  if (typeof purpose === 'string') return purpose !== 'check'
  const { tls, admin } = purpose.reloadOf.server
  return tls?.cert === cert || admin?.tls?.cert === cert
}

/** Whether it matters if an audit file can be written to: a server that runs has its own open, and nothing else opens one. */
export function needsAuditFile(purpose: Purpose, path: string): boolean {
  if (typeof purpose === 'string') return purpose !== 'describe'
  return !purpose.reloadOf.audit.some(sink => sink.type === 'file' && sink.path === path)
}
