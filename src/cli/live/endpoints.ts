import type { lookup as dnsLookup } from 'node:dns/promises'
import { distinct } from '../../lib/maps.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import type { Database } from '../../rds/database.ts'
import { type LiveCheck, ok, warning } from './live-check.ts'

/** Looks an address up, as `dns.lookup` does. */
export type LookUpHost = (host: string) => ReturnType<typeof dnsLookup>

/** Returns a check for each name that callers connect to: whether it leads to an address. jeton itself never connects. */
export function endpointChecks(databases: readonly Database[], lookUp: LookUpHost): LiveCheck[] {
  const hosts = distinct(databases.map(({ host, connect }) => connect?.host ?? host))
  return hosts.map(host => ({
    what: `endpoint ${host}`,
    run: () =>
      lookUp(host).then(
        ({ address }) => ok(`resolves to ${address}`),
        cause =>
          warning(
            `does not resolve here${systemCodeNote(cause)}: callers, not jeton, must reach it; check its spelling if it does not resolve for them`,
          ),
      ),
  }))
}
