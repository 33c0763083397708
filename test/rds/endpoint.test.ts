import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEndpoint } from '../../src/rds/endpoint.ts'
import { PARTITIONS } from '../../src/rds/partitions.ts'

const KINDS = [
  ['orders.c9akciq32xyz', 'instance'],
  ['orders-green-1ab2c3.c9akciq32xyz', 'instance'],
  ['tf-2024010112-0001.chprgs0ortaa', 'instance'],
  ['orders.cluster-c9akciq32xyz', 'cluster'],
  ['orders.cluster-ro-c9akciq32xyz', 'cluster'],
  ['reports.cluster-custom-c9akciq32xyz', 'cluster'],
  ['pool.proxy-c9akciq32xyz', 'proxy'],
  ['readers.endpoint.proxy-c9akciq32xyz', 'proxy'],
  ['shards.shardgrp-c9akciq32xyz', 'shardGroup'],
] as const

const LOCATIONS = [
  ['us-east-1.rds.amazonaws.com', 'us-east-1', 'aws'],
  ['ap-southeast-7.rds.amazonaws.com', 'ap-southeast-7', 'aws'],
  ['il-central-1.rds.amazonaws.com', 'il-central-1', 'aws'],
  ['cn-north-1.rds.amazonaws.com.cn', 'cn-north-1', 'aws-cn'],
  ['rds.cn-northwest-1.amazonaws.com.cn', 'cn-northwest-1', 'aws-cn'],
  ['us-gov-west-1.rds.amazonaws.com', 'us-gov-west-1', 'aws-us-gov'],
  ['rds.us-gov-east-1.amazonaws.com', 'us-gov-east-1', 'aws-us-gov'],
  ['us-iso-east-1.rds.c2s.ic.gov', 'us-iso-east-1', 'aws-iso'],
  ['rds.us-iso-west-1.c2s.ic.gov', 'us-iso-west-1', 'aws-iso'],
  ['us-isob-east-1.rds.sc2s.sgov.gov', 'us-isob-east-1', 'aws-iso-b'],
  ['rds.us-isob-east-1.sc2s.sgov.gov', 'us-isob-east-1', 'aws-iso-b'],
  ['eu-isoe-west-1.rds.cloud.adc-e.uk', 'eu-isoe-west-1', 'aws-iso-e'],
  ['rds.eu-isoe-west-1.cloud.adc-e.uk', 'eu-isoe-west-1', 'aws-iso-e'],
  ['us-isof-south-1.rds.csp.hci.ic.gov', 'us-isof-south-1', 'aws-iso-f'],
  ['rds.us-isof-east-1.csp.hci.ic.gov', 'us-isof-east-1', 'aws-iso-f'],
  ['eusc-de-east-1.rds.amazonaws.eu', 'eusc-de-east-1', 'aws-eusc'],
] as const

const ENDPOINTS = KINDS.flatMap(([front, kind]) =>
  LOCATIONS.map(([suffix, region, partition]) => ({ host: `${front}.${suffix}`, kind, region, partition })),
)

describe("parseEndpoint on RDS's own names", () => {
  test.each(ENDPOINTS)('reads $host', expected => {
    expect(parseEndpoint(expected.host)).toEqual({ ok: true, ...expected })
  })

  test('returns the name in lower case', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ENDPOINTS),
        fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }),
        (expected, upper) => {
          const mixed = [...expected.host].map((c, i) => (upper[i] ? c.toUpperCase() : c)).join('')
          expect(parseEndpoint(mixed)).toEqual({ ok: true, ...expected })
        },
      ),
    )
  })
})

const TUNNEL = /address in `connect`/
const US = 'us-east-1.rds.amazonaws.com'

describe('parseEndpoint on other text', () => {
  test.each([
    ['', /is empty/],
    [`https://orders.c9a.${US}`, /without a scheme/],
    [`postgres://admin:hunter2@orders.c9a.${US}/orders`, /without a scheme/],
    [`orders.c9a.${US}:5432`, /set `port`/],
    [`orders.c9a.${US}.`, /ends in a dot/],
    [`orders.c9a.${US}\n`, /no RDS endpoint has/],
    [` orders.c9a.${US}`, /no RDS endpoint has/],
    ['10.0.0.7', TUNNEL],
    ['::1', TUNNEL],
    ['[2001:db8::7]', TUNNEL],
    ['localhost', TUNNEL],
    ['LocalHost', TUNNEL],
    ['db.example.com', TUNNEL],
    ['orders', TUNNEL],
    ['ec2-52-0-0-1.compute-1.amazonaws.com', TUNNEL],
    ['orders.elb.us-east-2.amazonaws.com', TUNNEL],
    [`orders.global-c9akciq32xyz.global.rds.amazonaws.com`, /has no region.*regional cluster's endpoint/],
  ])('rejects %j and says what to do', (host, advice) => {
    expect(parseEndpoint(host)).toEqual({ ok: false, problem: expect.stringMatching(advice) })
  })

  test('does not repeat a password in a URL', () => {
    expect(JSON.stringify(parseEndpoint('postgres://admin:hunter2@db/orders'))).not.toContain('hunter2')
  })
})

describe('parseEndpoint on look-alikes', () => {
  test.each([
    [`orders.c9akciq32xyz.${US}.evil.com`],
    ['evil-rds.amazonaws.com'],
    ['orders.c9akciq32xyz.us-east-1.evil-rds.amazonaws.com'],
    ['orders.c9akciq32xyz.us-east-1.rds.evilamazonaws.com'],
    ['orders.c9akciq32xyz.us-east-1.rds-amazonaws.com'],
    ['rds.amazonaws.com'],
    [US],
    [`orders.${US}`],
    [`orders.cluster-.${US}`],
    [`orders.cluster.${US}`],
    [`orders.proxy.${US}`],
    [`orders.clusters-c9akciq32xyz.${US}`],
    [`orders.cluster-ro-custom-c9akciq32xyz.${US}`],
    [`.c9akciq32xyz.${US}`],
    [`-orders.c9akciq32xyz.${US}`],
    [`orders-.c9akciq32xyz.${US}`],
    [`or--ders.c9akciq32xyz.${US}`],
    [`1orders.c9akciq32xyz.${US}`],
    [`or_ders.c9akciq32xyz.${US}`],
    [`*.c9akciq32xyz.${US}`],
    [`a.b.c9akciq32xyz.${US}`],
    [`readers.endpoint.c9akciq32xyz.${US}`],
    [`readers.endpoint.cluster-c9akciq32xyz.${US}`],
    [`orders..c9akciq32xyz.${US}`],
    [`${'a'.repeat(64)}.c9akciq32xyz.${US}`],
    [`orders.${'a'.repeat(64)}.${US}`],
    [`${'a.'.repeat(130)}c9akciq32xyz.${US}`],
    // Cyrillic о, full-width dot, Kelvin sign (a plain k once lower-cased), soft hyphen
    [`оrders.c9akciq32xyz.${US}`],
    [`orders.c9akciq32xyz.us-east-1.rds．amazonaws.com`],
    [`orders.c9a\u212Aciq32xyz.${US}`],
    [`or\u00ADders.c9akciq32xyz.${US}`],
    ['orders.c9akciq32xyz.rds.us-east-1.amazonaws.com'],
    ['orders.c9akciq32xyz.rds.eusc-de-east-1.amazonaws.eu'],
    ['orders.cluster-c9a.rds.cn-northwest-1.rds.amazonaws.com.cn'],
    ['orders.cluster-c9a.rds.amazonaws.com.cn'],
    ['orders.c9akciq32xyz.us-east.rds.amazonaws.com'],
    ['orders.c9akciq32xyz.evil.rds.amazonaws.com'],
    ['orders.c9akciq32xyz.us-east-1.rds.amazonaws.co.uk'],
  ])('rejects %j', host => {
    expect(parseEndpoint(host).ok).toBe(false)
  })

  test.each([
    ['orders.c9a.cn-north-1.rds.amazonaws.com', 'aws-cn', 'amazonaws.com.cn'],
    ['orders.c9a.us-east-1.rds.amazonaws.com.cn', 'aws', 'amazonaws.com'],
    ['orders.c9a.us-gov-west-1.rds.amazonaws.com.cn', 'aws-us-gov', 'amazonaws.com'],
    ['orders.c9a.us-isob-east-1.rds.c2s.ic.gov', 'aws-iso-b', 'sc2s.sgov.gov'],
    ['orders.c9a.us-east-1.rds.amazonaws.eu', 'aws', 'amazonaws.com'],
    ['orders.c9a.rds.us-east-1.amazonaws.com', 'aws', 'amazonaws.com'],
  ])('names the right partition for %s', (host, home, suffix) => {
    const endpoint = parseEndpoint(host)
    expect(endpoint).toEqual({ ok: false, problem: expect.stringContaining(`of partition ${home}`) })
    expect(endpoint).toEqual({ ok: false, problem: expect.stringContaining(`.rds.${suffix}: copy`) })
  })
})

test('parseEndpoint never throws, and accepts only names that end as RDS endpoints do', () => {
  const suffixes = PARTITIONS.map(partition => `.${partition.suffix}`)
  const anything = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.domain(),
    fc.tuple(fc.constantFrom(...ENDPOINTS), fc.string({ minLength: 1 })).map(([e, tail]) => e.host + tail),
    fc.tuple(fc.string(), fc.constantFrom(...LOCATIONS)).map(([front, [suffix]]) => `${front}.${suffix}`),
  )
  fc.assert(
    fc.property(anything, host => {
      const endpoint = parseEndpoint(host)
      if (!endpoint.ok) return
      expect(endpoint.host).toBe(host.toLowerCase())
      expect(suffixes.some(suffix => endpoint.host.endsWith(suffix))).toBe(true)
      expect(endpoint.host).toMatch(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/)
    }),
    { numRuns: 200 },
  )
})

test('PARTITIONS has exactly one partition for each region', () => {
  for (const [, region, name] of LOCATIONS)
    expect(PARTITIONS.filter(partition => partition.region.test(region)).map(p => p.name)).toEqual([name])
})
