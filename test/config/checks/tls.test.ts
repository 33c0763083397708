import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { LoadOptions } from '../../../src/config/check-config.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { ConfigError, problemText } from '../../../src/config/problems.ts'
import { createAuthority, type IssueOptions } from '../../../src/dev/postgres/certificate-authority.ts'
import { sound, withServer, written } from '../support.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2030-01-01T12:00:00Z')
const TLS = { cert: 'server.pem', key: 'server-key.pem' }
const AUTHORITY = createAuthority()

const rsa = (modulusLength = 2048) => generateKeyPairSync('rsa', { modulusLength })
const onCurve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })

/** A certificate that is valid for a year at NOW, with what a test wants otherwise. */
function issued(options: IssueOptions = {}, names = ['localhost']) {
  return AUTHORITY.issue(names, { startsAt: NOW - DAY_MS, expiresAt: NOW + 365 * DAY_MS, ...options })
}

async function checkedPair(
  { certPem, keyPem }: { certPem: string; keyPem: string },
  options: LoadOptions = {},
): Promise<{ problems: string[]; warnings: string[] }> {
  const path = await written(withServer({ tls: TLS })(sound()), { [TLS.cert]: certPem, [TLS.key]: keyPem })
  try {
    const { warnings = [] } = await loadConfig(path, { now: NOW, ...options })
    const ofTls = warnings.filter(warning => warning.path.startsWith('server.tls'))
    return { problems: [], warnings: ofTls.map(problemText) }
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    return { problems: cause.problems.map(problemText), warnings: [] }
  }
}

const FINE = { problems: [], warnings: [] }

describe('checkTls', () => {
  test.each([
    ['on P-256', onCurve('P-256')],
    ['on P-384', onCurve('P-384')],
    ['RSA', rsa()],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ])('takes a certificate with a key %s', async (_, key) => {
    expect(await checkedPair(issued({ key }))).toEqual(FINE)
  })

  test('rejects a key of another type than the certificate, which OpenSSL takes', async () => {
    const [ofRsa, ofEc] = [issued({ key: rsa() }), issued()]
    expect(await checkedPair({ certPem: ofRsa.certPem, keyPem: ofEc.keyPem })).toMatchObject({
      problems: [
        'server.tls: has a private key that does not belong to the certificate: the certificate is for a key of type rsa, and this is ec',
      ],
    })
    expect(await checkedPair({ certPem: ofEc.certPem, keyPem: ofRsa.keyPem })).toMatchObject({
      problems: [expect.stringMatching(/for a key of type ec, and this is rsa$/)],
    })
  })

  test('says which certificate of a chain must come first', async () => {
    const { certPem, keyPem } = issued()
    expect(await checkedPair({ certPem: AUTHORITY.caPem + certPem, keyPem })).toMatchObject({
      problems: [
        'server.tls: has a private key that belongs to certificate 2 of the file: that one must come first, before those that issued it',
      ],
    })
  })

  test.each<[string, KeyPairKeyObjectResult, RegExp]>([
    ['RSA of 1024 bits', rsa(1024), /^server\.tls\.cert: .*an RSA key of 1024 bits, which clients refuse/],
    ['a curve of Bitcoin', onCurve('secp256k1'), /the curve secp256k1, which clients do not offer/],
    ['a short curve', onCurve('secp224r1'), /the curve secp224r1, which clients do not offer/],
    [
      'DSA',
      generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }),
      /a key of type dsa, with which no TLS connection succeeds/,
    ],
  ])('rejects a certificate with a key that no client accepts: %s', async (_, key, message) => {
    expect(await checkedPair(issued({ key }))).toMatchObject({ problems: [expect.stringMatching(message)] })
  })

  test('rejects a certificate that is not for servers', async () => {
    expect(await checkedPair(issued({ purpose: 'client' }))).toMatchObject({
      problems: [expect.stringMatching(/^server\.tls\.cert: .*lacks serverAuth/)],
    })
  })

  test('reads files with a byte order mark, and says what one in UTF-16 or DER is', async () => {
    const { certPem, keyPem } = issued()
    expect(await checkedPair({ certPem: `\uFEFF${certPem}`, keyPem: `\uFEFF${keyPem}` })).toEqual(FINE)
    const utf16 = Array.from(keyPem, char => `${char}\0`).join('')
    expect(await checkedPair({ certPem, keyPem: utf16 })).toMatchObject({
      problems: [expect.stringMatching(/^server\.tls\.key: names a file in UTF-16/)],
    })
    expect(await checkedPair({ certPem: '0\uFFFD\u0003', keyPem })).toMatchObject({
      problems: [expect.stringMatching(/^server\.tls\.cert: .*no PEM certificate: it is in DER/)],
    })
  })
})

describe('checkTls on the dates of a certificate', () => {
  const expired = issued({ startsAt: NOW - 90 * DAY_MS, expiresAt: NOW - 1000 })
  const EXPIRED =
    'server.tls.cert: names a certificate that expired on 2030-01-01, so clients refuse it: renew it'

  test('rejects one that has expired, and one that is not valid yet', async () => {
    expect(await checkedPair(expired)).toMatchObject({ problems: [EXPIRED] })
    expect(await checkedPair(issued({ startsAt: NOW + 3_600_000 }))).toMatchObject({
      problems: [
        "server.tls.cert: names a certificate that is not valid before 2030-01-01T13:00:00Z, so clients refuse it until then: use another, or check this machine's clock",
      ],
    })
  })

  test('lets a server start with it, and a command read it, with a warning', async () => {
    for (const purpose of ['start', 'describe'] as const)
      expect(await checkedPair(expired, { purpose })).toEqual({ problems: [], warnings: [EXPIRED] })
  })

  test('lets a running server reload with the one that it has, and with no other', async () => {
    const server = withServer({ tls: TLS })(sound())
    const files = { [TLS.cert]: expired.certPem, [TLS.key]: expired.keyPem }
    const inUse = await loadConfig(await written(server, files), { now: NOW - 10 * DAY_MS })
    const purpose = { reloadOf: inUse }
    expect(await checkedPair(expired, { purpose })).toEqual({ problems: [], warnings: [EXPIRED] })
    const other = issued({ startsAt: NOW - 90 * DAY_MS, expiresAt: NOW - 1000 })
    expect(await checkedPair(other, { purpose })).toMatchObject({ problems: [EXPIRED] })
    expect(await checkedPair(issued(), { purpose })).toEqual(FINE)
  })

  test('warns in the last 14 days', async () => {
    const ends = (days: number) => issued({ startsAt: NOW - 60 * DAY_MS, expiresAt: NOW + days * DAY_MS })
    expect(await checkedPair(ends(13))).toMatchObject({
      warnings: [
        'server.tls.cert: names a certificate that ends on 2030-01-14: renew it, then reload with SIGHUP',
      ],
    })
    expect(await checkedPair(ends(15))).toEqual(FINE)
  })

  test('warns of one that lives for less than a week when two thirds of that are over', async () => {
    const day = (startsAt: number) => issued({ startsAt, expiresAt: startsAt + DAY_MS })
    expect(await checkedPair(day(NOW - DAY_MS / 2))).toEqual(FINE)
    expect(await checkedPair(day(NOW - 0.9 * DAY_MS))).toMatchObject({
      warnings: [expect.stringContaining('ends on 2030-01-01')],
    })
  })
})

test('warns of a certificate that some clients refuse', async () => {
  expect(await checkedPair(issued({}, []))).toMatchObject({
    warnings: [expect.stringMatching(/^server\.tls\.cert: .*without subjectAltName/)],
  })
  expect(await checkedPair(issued({ isCa: true }))).toMatchObject({
    warnings: [expect.stringMatching(/^server\.tls\.cert: .*of a CA/)],
  })
  const { certPem, keyPem } = issued()
  expect(await checkedPair({ certPem: certPem + createAuthority().caPem, keyPem })).toMatchObject({
    warnings: expect.arrayContaining([
      expect.stringMatching(/^server\.tls\.cert: .*certificate 2 did not issue certificate 1/),
    ]),
  })
})
