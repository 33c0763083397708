import type { KeyObject, X509Certificate } from 'node:crypto'
import { isoDay, isoSeconds } from '../../lib/iso-time.ts'
import type { Report } from '../problems.ts'

const DAY_MS = 86_400_000
const SOON_MS = 14 * DAY_MS
/** Certificates that live shorter are renewed by a program, late in their lives. */
const SHORT_LIFE_MS = 7 * DAY_MS

/** What OpenSSL's clients accept by default since 3.2, and those of Go and browsers: 112 bits of security. */
const MIN_RSA_BITS = 2048
/** The curves of RFC 8446, 4.2.3, that clients offer; with a key on any other, no handshake succeeds. */
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1']
const KEY_TYPES = ['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448']

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_PURPOSE = '2.5.29.37.0'

/** Returns why no client that checks certificates accepts this one, whenever it is; undefined if nothing is known. */
export function findCertificateProblem({ publicKey, keyUsage }: X509Certificate): string | undefined {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails = {} } = publicKey
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails
  if (!KEY_TYPES.includes(type))
    return `names a certificate with a key of type ${type}, with which no TLS connection succeeds: use one with an RSA or EC key`
  if (type === 'ec' && !CURVES.includes(namedCurve))
    return `names a certificate with a key on the curve ${namedCurve}, which clients do not offer: use P-256, P-384 or P-521`
  if (type.startsWith('rsa') && modulusLength < MIN_RSA_BITS)
    return `names a certificate with an RSA key of ${modulusLength} bits, which clients refuse: use at least ${MIN_RSA_BITS}`
  // Node's name for the extended key usage
  if (keyUsage !== undefined && !keyUsage.some(use => use === SERVER_AUTH || use === ANY_PURPOSE))
    return 'names a certificate that is not for servers (its extended key usage lacks serverAuth), so clients refuse it'
  return undefined
}

/** Returns why a private key does not fit the first certificate of a chain, with which a server proves who it is. */
export function findPairProblem(chain: readonly X509Certificate[], key: KeyObject): string | undefined {
  const [leaf] = chain
  if (!leaf || leaf.checkPrivateKey(key)) return undefined
  const position = chain.findIndex(certificate => certificate.checkPrivateKey(key))
  if (position > 0)
    return `has a private key that belongs to certificate ${position + 1} of the file: that one must come first, before those that issued it`
  const [ofCertificate, ofKey] = [leaf.publicKey.asymmetricKeyType, key.asymmetricKeyType]
  const types =
    ofCertificate === ofKey
      ? ''
      : `: the certificate is for a key of type ${ofCertificate}, and this is ${ofKey}`
  return `has a private key that does not belong to the certificate${types}`
}

/** Returns why a certificate is not valid at this time, in milliseconds; undefined if it is. */
export function findDateProblem({ validFrom, validTo }: X509Certificate, now: number): string | undefined {
  if (now > Date.parse(validTo))
    return `names a certificate that expired on ${dayOf(validTo)}, so clients refuse it: renew it`
  if (now < Date.parse(validFrom))
    return `names a certificate that is not valid before ${isoSeconds(Date.parse(validFrom))}, so clients refuse it until then: use another, or check this machine's clock`
  return undefined
}

/** Whether a certificate is valid at this time, in milliseconds, and should be renewed now. */
export function endsSoon({ validFrom, validTo }: X509Certificate, now: number): boolean {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  const soonMs = to - from < SHORT_LIFE_MS ? (to - from) / 3 : SOON_MS
  return now >= from && now <= to && to - now < soonMs
}

/** Reports what makes some clients refuse a certificate, or all of them soon. */
export function warnOfCertificate(
  chain: readonly X509Certificate[],
  { now, warnings }: { now: number; warnings: Report },
): void {
  const [leaf, ...issuers] = chain
  if (!leaf) return
  if (endsSoon(leaf, now))
    warnings.problem(
      `names a certificate that ends on ${dayOf(leaf.validTo)}: renew it, then reload with SIGHUP`,
    )
  if (leaf.subjectAltName === undefined)
    warnings.problem(
      'names a certificate without subjectAltName: browsers and clients in Go, Java, Python or Rust look for the name of the server there, and refuse it',
    )
  if (leaf.ca && leaf.subject !== leaf.issuer)
    warnings.problem(
      'names a certificate of a CA, which some clients refuse from a server, and whose key should not be on one: issue one for the server',
    )
  chain.slice(0, -1).forEach((certificate, position) => {
    const next = chain[position + 1]
    if (next && !certificate.checkIssued(next))
      warnings.problem(
        `names a file whose certificate ${position + 2} did not issue certificate ${position + 1}: some clients refuse a chain that is not in order`,
      )
  })
  issuers.forEach(({ validTo }, position) => {
    if (now > Date.parse(validTo))
      warnings.problem(
        `names a file whose certificate ${position + 2}, of a CA, expired on ${dayOf(validTo)}: clients that need it refuse the connection`,
      )
  })
}

function dayOf(date: string): string {
  return isoDay(Date.parse(date))
}
