import { X509Certificate } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import type { Database } from './database.ts'
import { PARTITIONS } from './partitions.ts'
import { readRootPems } from './root-pems.ts'

/** The unexpired CA certificates of a region, of RDS Proxy, or of all regions. */
export interface CaBundle {
  readonly pem: string
  /** Of `pem`, as jeton serves it; the file at `source` has another hash. */
  readonly sha256: string
  readonly certificates: number
  /** ISO 8601. The earliest expiry among the certificates, at which jeton serves another bundle. */
  readonly notAfter: string
  /** URL at which AWS publishes it. */
  readonly source: string
}

/** What a reply says about a database's CAs; `bundle` is the path of the PEM. */
export interface CaReference extends CaBundle {
  readonly bundle: `/v1/ca/${string}.pem`
  readonly tlsMode: 'verify-full'
}

/** Finds the bundle for a database or by name. */
export interface CaBundles {
  /** Returns the CAs that verify a database's certificate: its region's, or all of them if the region is unknown. */
  forDatabase(database: Pick<Database, 'kind' | 'region' | 'partition'>): CaReference
  /** Returns the name of a database's bundle, for `byName`. */
  nameFor(database: Pick<Database, 'kind' | 'region'>): string
  /** Returns the bundle of a region, `global` or `proxy`, and undefined for any other text, such as one from a URL. */
  byName(name: string): CaBundle | undefined
}

const PROXY_SOURCE = 'https://www.amazontrust.com/repository/'
const DOCUMENTATION = 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html'

/**
 * Creates the bundles of RDS's CA certificates that have not expired by `clock`. Certificates are read on first use.
 * For a region or partition that `readRootPems` does not know, the bundle lacks the root: TLS then fails, never passes
 * wrongly, and `source` leads to the right bundle. RDS Proxy has certificates of ACM, which chain to Amazon's own roots:
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security
 */
export function createCaBundles(clock: Clock): CaBundles {
  let loaded: ReturnType<typeof loadBundles> | undefined
  const bundles = () => {
    loaded ??= loadBundles(clock)
    return loaded
  }

  function nameFor({ kind, region }: Pick<Database, 'kind' | 'region'>): string {
    const name = kind === 'proxy' ? 'proxy' : region
    return bundles().byName.has(name) ? name : 'global'
  }

  return {
    byName: name => bundles().byName.get(name)?.(),
    nameFor,
    forDatabase({ kind, region, partition }) {
      const { byName, global } = bundles()
      const name = nameFor({ kind, region })
      const { pem, sha256, certificates, notAfter } = (byName.get(name) ?? global)()
      return {
        pem,
        bundle: `/v1/ca/${name}.pem`,
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

function loadBundles(clock: Clock) {
  const { byRegion, proxy } = readRootPems()
  const ofRegion = (pems: readonly string[], scope: string) =>
    createBundle(clock, { pems, source: sourceOf('aws', scope) })
  const global = ofRegion(Object.values(byRegion).flat(), 'global')
  const byName = new Map(Object.entries(byRegion).map(([region, pems]) => [region, ofRegion(pems, region)]))
  byName.set('global', global)
  byName.set('proxy', createBundle(clock, { pems: proxy, source: PROXY_SOURCE }))
  return { byName, global }
}

/** Returns a function for the bundle as it is now. Parses on first use; renders again only if another set is unexpired. */
function createBundle(
  clock: Clock,
  { pems, source }: { pems: readonly string[]; source: string },
): () => CaBundle {
  let roots: readonly Root[] | undefined
  // `from` too, because the clock may be set back
  let rendered: { from: number; until: number; bundle: CaBundle } | undefined
  return () => {
    const now = clock.now()
    if (rendered && rendered.from <= now && now < rendered.until) return rendered.bundle
    roots ??= parseRoots(pems)
    const unexpired = roots.filter(root => root.expiresAt > now)
    const pem = unexpired.map(root => root.pem).join('')
    const from = Math.max(...roots.map(root => root.expiresAt).filter(expiresAt => expiresAt <= now))
    const until = Math.min(...unexpired.map(root => root.expiresAt))
    const bundle = Object.freeze({
      pem,
      sha256: sha256Hex(pem),
      certificates: unexpired.length,
      notAfter: new Date(unexpired.length > 0 ? until : from).toISOString(),
      source,
    })
    rendered = { from, until, bundle }
    return bundle
  }
}

interface Root {
  readonly pem: string
  readonly expiresAt: number
}

/** Parses the roots among the certificates, in an order that depends only on the certificates. */
function parseRoots(pems: readonly string[]): Root[] {
  const key = (certificate: X509Certificate) => `${certificate.subject}\n${certificate.fingerprint256}`
  return (
    pems
      .map(pem => new X509Certificate(pem))
      // the text search of readRootPems also finds intermediates, which name their root as issuer
      .filter(({ subject, issuer }) => subject === issuer)
      .sort((a, b) => (key(a) < key(b) ? -1 : 1))
      .map(certificate => ({ pem: certificate.toString(), expiresAt: Date.parse(certificate.validTo) }))
  )
}
