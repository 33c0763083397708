import { createHash, generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { der } from './der.ts'

export interface Certificate {
  readonly certPem: string
  readonly keyPem: string
}

export interface Authority {
  /** The root certificate, for clients that trust this authority. */
  readonly caPem: string
  /** Returns a server certificate for DNS names and IPv4 addresses. */
  issue(names: readonly string[], options?: IssueOptions): Certificate
}

export interface IssueOptions {
  /** In milliseconds; default: a day ago, or a day before the end if that is earlier. */
  startsAt?: number
  /** In milliseconds; default: a day from now. */
  expiresAt?: number
  /** Default: a new key on P-256. */
  key?: KeyPairKeyObjectResult
  /** Default: for servers. */
  purpose?: 'server' | 'client'
  isCa?: boolean
}

const DAY_MS = 24 * 60 * 60_000

/**
 * Creates a certificate authority whose key is never written anywhere. Certificates are signed on P-256 and follow RFC 5280, so
 * that strict clients accept them. There is no revocation.
 */
export function createAuthority(commonName = `jeton test CA ${randomBytes(4).toString('hex')}`): Authority {
  const root = keyPair()
  const certify = (request: {
    subject: string
    key: KeyPair
    extensions: Buffer[]
    startsAt?: number | undefined
    expiresAt: number
  }) => {
    const startsAt = request.startsAt ?? Math.min(Date.now(), request.expiresAt) - DAY_MS
    const body = sequence(
      der(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
      ECDSA_SHA256,
      name(commonName),
      sequence(time(startsAt), time(request.expiresAt)),
      name(request.subject),
      request.key.spki,
      der(
        0xa3,
        sequence(...request.extensions, extension('authorityKeyIdentifier', sequence(der(0x80, root.id)))),
      ),
    )
    const signature = sign('sha256', body, root.keyPem)
    return pem(sequence(body, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature)))
  }

  const caPem = certify({
    subject: commonName,
    key: root,
    expiresAt: Date.now() + DAY_MS,
    extensions: [
      extension('basicConstraints', sequence(TRUE), 'critical'),
      // keyCertSign and cRLSign: the sixth and seventh bit, one bit unused.
      extension('keyUsage', der(0x03, Buffer.from([1, 0x06])), 'critical'),
      extension('subjectKeyIdentifier', der(0x04, root.id)),
    ],
  })

  return {
    caPem,
    issue(names, options = {}) {
      const { startsAt, expiresAt = Date.now() + DAY_MS, purpose = 'server', isCa = false } = options
      const key = keyPair(options.key)
      const certPem = certify({
        subject: 'jeton test server',
        key,
        startsAt,
        expiresAt,
        extensions: [
          extension('basicConstraints', isCa ? sequence(TRUE) : sequence(), 'critical'),
          // digitalSignature: the first bit, seven bits unused; with keyCertSign the sixth too, two unused.
          extension('keyUsage', der(0x03, Buffer.from(isCa ? [2, 0x84] : [7, 0x80])), 'critical'),
          extension('extendedKeyUsage', sequence(PURPOSES[purpose])),
          ...(names.length === 0
            ? []
            : [extension('subjectAltName', sequence(...names.map(alternativeName)))]),
          extension('subjectKeyIdentifier', der(0x04, key.id)),
        ],
      })
      return { certPem, keyPem: key.keyPem }
    },
  }
}

interface KeyPair {
  readonly keyPem: string
  readonly spki: Buffer
  readonly id: Buffer
}

function keyPair({ privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })): KeyPair {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki,
    id: createHash('sha1').update(spki).digest(),
  }
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const integer = (bytes: Buffer) => der(0x02, bytes)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const TRUE = der(0x01, Buffer.from([0xff]))
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'))
const PURPOSES = { server: oid('2b06010505070301'), client: oid('2b06010505070302') }
const EXTENSIONS = {
  subjectKeyIdentifier: oid('551d0e'),
  keyUsage: oid('551d0f'),
  subjectAltName: oid('551d11'),
  basicConstraints: oid('551d13'),
  authorityKeyIdentifier: oid('551d23'),
  extendedKeyUsage: oid('551d25'),
}

function extension(kind: keyof typeof EXTENSIONS, value: Buffer, critical?: 'critical'): Buffer {
  return sequence(EXTENSIONS[kind], ...(critical ? [TRUE] : []), der(0x04, value))
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))))
}

/** UTCTime, which RFC 5280 requires until 2049. */
function time(ms: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))
}

function alternativeName(text: string): Buffer {
  if (isIP(text) === 0) return der(0x82, Buffer.from(text))
  if (isIP(text) === 6) throw new Error('IPv6 addresses are not supported')
  return der(0x87, Buffer.from(text.split('.').map(Number)))
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
