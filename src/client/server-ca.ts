import { X509Certificate } from 'node:crypto'
import { createReadStream } from 'node:fs'
import tls from 'node:tls'
import { type Environment, readTextUpTo } from '../lib/process-input.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { invalidUsage } from './errors.ts'

/** Ten times as much as all public CAs. */
const MAX_BYTES = 4 * 1024 * 1024

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

export interface CaFile {
  path: string
  /** What errors call it, such as the variable that it comes from. */
  name: string
}

/**
 * Returns what to trust with a file of CA certificates in PEM: those, and all that Node trusts without it, so that servers of a
 * private and of a public CA both work. Throws CallerError (exit code 2) if the file cannot be read or has no certificate in it,
 * or one that is broken. Whether they are of CAs is not checked.
 */
export async function readTrustedCas(file: CaFile, env: Environment): Promise<string[]> {
  return [...(await nodeCas(env)), ...(await readCertificates(file))]
}

/** Returns the certificates in a file, in PEM; throws as `readTrustedCas` does. */
export async function readCertificates({ path, name }: CaFile): Promise<string[]> {
  if (path.includes('-----BEGIN'))
    throw invalidUsage(`${name} takes the path of a file, and not what is in it`)
  const text = await readTextUpTo(createReadStream(path), MAX_BYTES).catch(cause => {
    throw invalidUsage(`${name}: ${path} cannot be read${systemCodeNote(cause)}`)
  })
  if (text === undefined)
    throw invalidUsage(`${name}: ${path} is longer than any CA bundle (${MAX_BYTES} bytes)`)
  if (text.trim() === '') throw invalidUsage(`${name}: ${path} is empty`)
  const certificates = text.match(CERTIFICATE) ?? []
  if (certificates.length === 0)
    throw invalidUsage(
      `${name}: ${path} has no certificate in PEM in it (-----BEGIN CERTIFICATE-----); of DER, openssl x509 -inform der -in FILE makes PEM`,
    )
  const broken = certificates.findIndex(pem => !isCertificate(pem))
  if (broken >= 0) throw invalidUsage(`${name}: certificate ${broken + 1} in ${path} is broken`)
  return certificates
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

/** What Node trusts by itself; a list of one's own takes its place, NODE_EXTRA_CA_CERTS included. */
async function nodeCas({ NODE_EXTRA_CA_CERTS: path }: Environment): Promise<readonly string[]> {
  // since Node 22.15
  if ('getCACertificates' in tls && typeof tls.getCACertificates === 'function')
    return tls.getCACertificates('default')
  // of a file that cannot be read, Node has warned already
  const extra = path ? await readCertificates({ path, name: 'NODE_EXTRA_CA_CERTS' }).catch(() => []) : []
  return [...tls.rootCertificates, ...extra]
}
