import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'

/** The parts of a changed configuration that a running server cannot take on. A certificate it can, but not TLS itself. */
export function restartOnlyChanges(old: Config, changed: Config): string[] {
  const fixed = ({ server, store, audit }: Config) => ({
    server: { ...server, tls: server.tls !== undefined },
    store,
    audit,
  })
  const [before, now] = [fixed(old), fixed(changed)]
  // JSON shows no keys, and so no change of one
  return (['server', 'store', 'audit'] as const).filter(part => !isDeepStrictEqual(before[part], now[part]))
}
