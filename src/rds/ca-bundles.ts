import type { Clock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import { parseRoots, type Root } from './ca-roots.ts'
import type { Database } from './database.ts'
import { PARTITIONS } from './partitions.ts'
import { readRootPems } from './root-pems.ts'

export interface CaBundle {
  readonly pem: string
  /** Of `pem`: of what is served, not of what stands at `source`. */
  readonly sha256: string
  readonly certificates: number
  /** ISO; the earliest expiry among them, for from then on another bundle is served and a copy is out of date. */
  readonly notAfter: string
  /** Where AWS publishes it. */
  readonly source: string
}

/** What a caller is told of a database's CAs; `bundle` is where the PEM is had. */
export interface CaReference extends CaBundle {
  readonly bundle: `/v1/ca/${string}.pem`
  readonly tlsMode: 'verify-full'
}

export interface CaBundles {
  /** The CAs to verify a database's certificate by: its region's, or all where the region is not known. */
  forDatabase(database: Pick<Database, 'kind' | 'region' | 'partition'>): CaReference
  /** Of a region, `global` or `proxy`; undefined for any other name, so that a name may come from a URL as it is. */
  byName(name: string): CaBundle | undefined
}

const PROXY_SOURCE = 'https://www.amazontrust.com/repository/'
const DOCUMENTATION = 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html'

/**
 * RDS's CA certificates, those alone that have not expired by `clock` when asked. They are read when first needed.
 * Of regions and partitions that `readRootPems` does not know, the bundle lacks the root: TLS then fails (it never passes
 * wrongly), and `source` says where the right bundle is. RDS Proxy has certificates of ACM, under Amazon's own roots:
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security
 */
export function createCaBundles(clock: Clock): CaBundles {
  let known: ReturnType<typeof readAll> | undefined
  const bundles = () => {
    known ??= readAll(clock)
    return known
  }
  return {
    byName: name => bundles().named.get(name)?.(),
    forDatabase({ kind, region, partition }) {
      const { named, global } = bundles()
      const wanted = kind === 'proxy' ? 'proxy' : region
      const own = named.get(wanted)
      const { pem, sha256, certificates, notAfter } = (own ?? global)()
      return {
        pem,
        bundle: `/v1/ca/${own ? wanted : 'global'}.pem`,
        source: kind === 'proxy' ? PROXY_SOURCE : sourceOf(partition, region),
        sha256,
        certificates,
        notAfter,
        tlsMode: 'verify-full',
      }
    },
  }
}

function sourceOf(partition: string, scope: string): string {
  const store = PARTITIONS.find(({ name }) => name === partition)?.trustStore
  return store ? `${store}/${scope}/${scope}-bundle.pem` : DOCUMENTATION
}

function readAll(clock: Clock) {
  const { byRegion, proxy } = readRootPems()
  const aws = (pems: readonly string[], scope: string) =>
    current(clock, { pems, source: sourceOf('aws', scope) })
  const global = aws(Object.values(byRegion).flat(), 'global')
  const named = new Map(Object.entries(byRegion).map(([region, pems]) => [region, aws(pems, region)]))
  named.set('global', global)
  named.set('proxy', current(clock, { pems: proxy, source: PROXY_SOURCE }))
  return { named, global }
}

/** Gives the bundle as it is now: parsed when first asked for, rendered anew when another set is unexpired. */
function current(
  clock: Clock,
  { pems, source }: { pems: readonly string[]; source: string },
): () => CaBundle {
  let roots: readonly Root[] | undefined
  // The clock may be put back, so a rendering has a beginning too.
  let rendered: { from: number; until: number; bundle: CaBundle } | undefined
  return () => {
    const now = clock.now()
    if (rendered && rendered.from <= now && now < rendered.until) return rendered.bundle
    roots ??= parseRoots(pems)
    const live = roots.filter(root => root.expiresAt > now)
    const pem = live.map(root => root.pem).join('')
    const from = Math.max(...roots.map(root => root.expiresAt).filter(expiresAt => expiresAt <= now))
    const until = Math.min(...live.map(root => root.expiresAt))
    const notAfter = new Date(live.length > 0 ? until : from).toISOString()
    const bundle = Object.freeze({ pem, sha256: sha256Hex(pem), certificates: live.length, notAfter, source })
    rendered = { from, until, bundle }
    return bundle
  }
}
