import { X509Certificate } from 'node:crypto'

export interface Root {
  readonly pem: string
  readonly expiresAt: number
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
