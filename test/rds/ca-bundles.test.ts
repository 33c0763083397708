import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/lib/hash.ts'
import { createCaBundles } from '../../src/rds/ca-bundles.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

const REGION = { kind: 'instance', region: 'us-east-1', partition: 'aws' } as const

function certificatesOf(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----\n/g) ?? []).map(
    text => new X509Certificate(text),
  )
}

function expiryOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo)
}

describe('CaBundles.byName', () => {
  const clock = virtualClock()
  const bundles = createCaBundles(clock)

  test.each([
    ['us-east-1', 3, /^CN=Amazon RDS us-east-1 Root CA (RSA2048|RSA4096|ECC384) G1$/m],
    ['af-south-1', 3, /^CN=Amazon RDS af-south-1 Root CA (RSA2048|RSA4096|ECC384) G1$/m],
    ['global', 81, /^CN=Amazon RDS [a-z]+-[a-z]+-\d Root CA (RSA2048|RSA4096|ECC384) G1$/m],
    ['proxy', 5, /^CN=(Amazon Root CA \d|Starfield Services Root Certificate Authority - G2)$/m],
  ])('%s has only its own unexpired roots, and correct facts about them', (name, atLeast, subject) => {
    const bundle = bundles.byName(name)!
    const certificates = certificatesOf(bundle.pem)
    expect(certificates.map(c => c.toString()).join('')).toBe(bundle.pem)
    expect(bundle.certificates).toBe(certificates.length)
    expect(certificates.length).toBeGreaterThanOrEqual(atLeast)
    expect(new Set(certificates.map(c => c.fingerprint256)).size).toBe(certificates.length)
    for (const certificate of certificates) {
      expect(certificate.subject).toMatch(subject)
      expect(certificate.ca && certificate.verify(certificate.publicKey)).toBe(true)
      expect(expiryOf(certificate)).toBeGreaterThan(clock.now())
    }
    expect(bundle.sha256).toBe(sha256Hex(bundle.pem))
    expect(Date.parse(bundle.notAfter)).toBe(Math.min(...certificates.map(expiryOf)))
    expect(bundle.notAfter).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  })

  test.each([
    '__proto__',
    'constructor',
    'toString',
    '',
    'Global',
    'us-east-1.pem',
    '../global',
    'mars-east-1',
    'Beta us-east-1',
  ])('returns undefined for %j', name => {
    expect(bundles.byName(name)).toBeUndefined()
  })

  test('returns the same text in every process, and one object while nothing expires', () => {
    expect(createCaBundles(virtualClock()).byName('global')).toEqual(bundles.byName('global'))
    expect(bundles.byName('global')).toBe(bundles.byName('global'))
  })
})

describe('a CA bundle over time', () => {
  test('drops a root exactly at its expiry, and has it again if the clock is set back', async () => {
    const clock = virtualClock()
    let now = clock.now()
    const bundles = createCaBundles({ ...clock, now: () => now })
    const early = bundles.byName('us-east-1')!
    now = Date.parse(early.notAfter) - 1
    expect(bundles.byName('us-east-1')).toBe(early)
    now += 1
    const late = bundles.byName('us-east-1')!
    expect(late.certificates).toBe(early.certificates - 1)
    expect(late.sha256).not.toBe(early.sha256)
    expect(Date.parse(late.notAfter)).toBeGreaterThan(now)
    for (const certificate of certificatesOf(late.pem)) expect(expiryOf(certificate)).toBeGreaterThan(now)
    expect(bundles.forDatabase(REGION)).toMatchObject({ sha256: late.sha256, notAfter: late.notAfter })
    now = clock.now()
    expect(bundles.byName('us-east-1')).toEqual(early)
  })

  test('contains a root that has expired since, by an old clock', () => {
    const then = createCaBundles(virtualClock(Date.parse('2024-01-01T00:00:00Z'))).byName('me-south-1')!
    const now = createCaBundles(virtualClock()).byName('me-south-1')!
    expect(then.certificates).toBe(now.certificates + 1)
    expect(certificatesOf(then.pem).map(c => c.subject.split('CN=')[1])).toContain(
      'Amazon RDS me-south-1 Root CA',
    )
  })

  test('is empty when all roots have expired, and says since when', () => {
    const bundle = createCaBundles(virtualClock(Date.parse('2300-01-01T00:00:00Z'))).byName('us-east-1')!
    expect(bundle).toMatchObject({ pem: '', certificates: 0 })
    expect(Date.parse(bundle.notAfter)).toBeLessThan(Date.parse('2300-01-01T00:00:00Z'))
  })
})

describe('CaBundles.forDatabase', () => {
  const bundles = createCaBundles(virtualClock())

  test('returns the bundle of its region for an instance', () => {
    const facts = bundles.byName('us-east-1')!
    expect(bundles.forDatabase(REGION)).toEqual({
      ...facts,
      bundle: '/v1/ca/us-east-1.pem',
      source: 'https://truststore.pki.rds.amazonaws.com/us-east-1/us-east-1-bundle.pem',
      tlsMode: 'verify-full',
    })
  })

  test("returns Amazon's roots for a proxy, in every partition", () => {
    for (const [region, partition] of [
      ['us-east-1', 'aws'],
      ['cn-north-1', 'aws-cn'],
    ] as const)
      expect(bundles.forDatabase({ kind: 'proxy', region, partition })).toMatchObject({
        bundle: '/v1/ca/proxy.pem',
        source: 'https://www.amazontrust.com/repository/',
        certificates: 5,
      })
  })

  test.each([
    ['mx-central-1', 'aws', 'https://truststore.pki.rds.amazonaws.com/mx-central-1/mx-central-1-bundle.pem'],
    [
      'us-gov-east-1',
      'aws-us-gov',
      'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/us-gov-east-1/us-gov-east-1-bundle.pem',
    ],
    [
      'cn-northwest-1',
      'aws-cn',
      'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/cn-northwest-1/cn-northwest-1-bundle.pem',
    ],
    [
      'us-iso-east-1',
      'aws-iso',
      'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html',
    ],
    [
      'eusc-de-east-1',
      'aws-eusc',
      'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html',
    ],
  ])('returns the global bundle for %s, and the source of its own', (region, partition, source) => {
    expect(bundles.forDatabase({ kind: 'cluster', region, partition })).toMatchObject({
      bundle: '/v1/ca/global.pem',
      sha256: bundles.byName('global')!.sha256,
      source,
    })
  })

  test('CaBundles.byName names the source of each bundle', () => {
    expect(bundles.byName('global')!.source).toBe(
      'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem',
    )
    expect(bundles.byName('eu-west-3')!.source).toBe(
      'https://truststore.pki.rds.amazonaws.com/eu-west-3/eu-west-3-bundle.pem',
    )
    expect(bundles.byName('proxy')!.source).toBe('https://www.amazontrust.com/repository/')
  })
})
