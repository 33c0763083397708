import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { systemCode } from '../../lib/system-error.ts'
import type { ServerConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import { acceptsUndated, type Purpose } from '../purpose.ts'
import type { Files } from '../source/files.ts'
import { findCertificateProblem, findDateProblem, findPairProblem, warnOfCertificate } from './certificate.ts'
import { readFileText } from './file-text.ts'

export interface TlsCheck {
  files: Files
  report: Report
  warnings: Report
  purpose: Purpose
  /** In milliseconds. */
  now: number
}

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/**
 * Returns the texts of a certificate and its key, undefined if one of them is not read or cannot be used. OpenSSL takes a pair
 * of different types, and one that has expired, but then every connection fails, so these are compared here.
 */
export async function checkTls(
  paths: { cert: string; key: string },
  { files, report, warnings, purpose, now }: TlsCheck,
): Promise<ServerConfig['tls']> {
  const cert = await readFileText(paths.cert, { files, report: report.at('cert') })
  const key = await readFileText(paths.key, { files, report: report.at('key') })
  const chain = cert === undefined ? undefined : parseChain(cert)
  const privateKey = key === undefined ? undefined : parseKey(key)
  if (cert !== undefined && !chain) report.problem(noCertificate(cert), 'cert')
  if (key !== undefined && !privateKey)
    report.problem('names a file that contains no PEM private key (jeton cannot use an encrypted key)', 'key')
  if (cert === undefined || chain === undefined) return undefined

  const leaf = (privateKey && chain.find(certificate => certificate.checkPrivateKey(privateKey))) ?? chain[0]
  const problem = findCertificateProblem(leaf)
  if (problem !== undefined) report.problem(problem, 'cert')
  const pairProblem = privateKey && findPairProblem(chain, privateKey)
  if (pairProblem !== undefined) report.problem(pairProblem)
  const dateProblem = findDateProblem(leaf, now)
  if (dateProblem !== undefined)
    (acceptsUndated(purpose, cert) ? warnings : report).problem(dateProblem, 'cert')
  warnOfCertificate(chain, { now, warnings: warnings.at('cert') })
  if (key === undefined || privateKey === undefined) return undefined
  const refusal = problem === undefined && pairProblem === undefined ? findRefusal({ cert, key }) : undefined
  if (refusal !== undefined) report.problem(refusal)
  return { cert, key }
}

function parseChain(text: string): [X509Certificate, ...X509Certificate[]] | undefined {
  try {
    const [leaf, ...issuers] = (text.match(CERTIFICATE) ?? []).map(pem => new X509Certificate(pem))
    return leaf && [leaf, ...issuers]
  } catch {
    return undefined
  }
}

function parseKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

function noCertificate(text: string): string {
  const isDer = text.startsWith('0') && text.includes('\uFFFD')
  const remedy = isDer ? ': it is in DER, so convert it (openssl x509 -inform der -in FILE)' : ''
  return `names a file that contains no PEM certificate${remedy}`
}

/** Gives OpenSSL's code but not its message, which may quote what it read. */
function findRefusal(pair: { cert: string; key: string }): string | undefined {
  try {
    createSecureContext(pair)
    return undefined
  } catch (cause) {
    return `cannot be used: OpenSSL refuses the certificate or its key (${systemCode(cause) ?? 'unknown error'})`
  }
}
