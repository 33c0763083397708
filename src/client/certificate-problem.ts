import { isJsonObject } from '../lib/json.ts'
import { systemCode } from '../lib/system-error.ts'
import { fitForTerminal } from './errors.ts'

/** OpenSSL's names for a chain that ends at no CA that is trusted here. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNKNOWN_CA = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]

const OTHER_FAULTS =
  /^(?:CERT_|UNABLE_TO_|CRL_|ERROR_IN_CERT_|ERROR_IN_CRL_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/

/** More names are not shown. */
const MAX_NAMES = 5

export interface CertificateHolder {
  /** As it is to be called. */
  host: string
  /** What this machine's clock says, in ISO 8601. */
  now: string
}

/**
 * Returns what is wrong with the certificate that TLS failed for, and what to do about it; undefined if `cause` is something
 * else. Of the certificate it shows the names, without control characters.
 */
export function certificateProblem(cause: unknown, { host, now }: CertificateHolder): string | undefined {
  const code = systemCode(cause) ?? ''
  if (UNKNOWN_CA.includes(code))
    return `${host} has a certificate of a CA that is not known here (${code}): if it is a private CA, name a file with that CA's own certificate by --server-ca FILE or JETON_CACERT`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${host} has a certificate for ${namesOf(cause)} (${code}): use a name that the certificate has, or have it issued for this one`
  if (code === 'CERT_HAS_EXPIRED')
    return `${host} has a certificate that has expired (${code}): it has to be renewed, unless the clock of this machine is wrong, which says ${now}`
  if (code === 'CERT_NOT_YET_VALID')
    return `${host} has a certificate that is not valid yet (${code}): is the clock of this machine right? It says ${now}`
  return OTHER_FAULTS.test(code) ? `${host} has a certificate that does not verify (${code})` : undefined
}

function namesOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const certificate = cause instanceof Error && 'cert' in cause ? cause.cert : undefined
  const text = isJsonObject(certificate) ? certificate.subjectaltname : undefined
  const names = typeof text === 'string' ? text.split(', ').map(each => each.replace(/^[^:]*:/, '')) : []
  if (names.length === 0) return 'another name'
  const shown = names.slice(0, MAX_NAMES).map(fitForTerminal).join(', ')
  return names.length > MAX_NAMES ? `${shown} and others` : shown
}
