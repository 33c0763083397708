import { beforeEach, describe, expect, test } from 'vitest'
import { hasDelivered, logReadings } from '../../src/lambda/log-readings.ts'
import type { ExpiryReading, IssuerKeysReading, RateReading } from '../../src/telemetry/readings.ts'
import { createLogRecorder, type LogRecorder } from '../support/service/log-recorder.ts'

const NOW = Date.parse('2026-11-23T10:00:00Z')
const DAY_MS = 86_400_000

let log: LogRecorder
beforeEach(() => {
  log = createLogRecorder()
})

const rate = (fields: Partial<RateReading> = {}): RateReading => ({
  resource: 'db-ORDERS',
  databases: ['orders'],
  perSecond: 16,
  horizonMs: 1000,
  delivered: 900,
  deliveredBySecond: [7, ...new Array(59).fill(0), 2],
  waiting: [],
  fleet: { readAt: NOW - 5, nextFreeAt: NOW + 40, reserved: 4, free: 12 },
  ...fields,
})
const bundle = (of: string, days: number): ExpiryReading => ({
  of,
  kind: 'ca-bundle',
  notAfter: NOW + days * DAY_MS + 1,
})
const keys = (fields: Partial<IssuerKeysReading>): IssuerKeysReading => ({
  issuer: 'ci',
  url: 'https://ci.example.com',
  isPinned: false,
  isFailing: false,
  fetchedAt: NOW - 3_600_000,
  keys: [],
  ...fields,
})

function logged({
  rates = [],
  expiries = [],
  issuerKeys = [],
}: {
  rates?: RateReading[]
  expiries?: ExpiryReading[]
  issuerKeys?: IssuerKeysReading[]
}) {
  const readings = { rates: () => rates, expiries: () => expiries, issuerKeys: () => issuerKeys }
  logReadings(readings, { log, now: NOW })
  return log.lines.map(({ fields }) => fields)
}

describe('logReadings', () => {
  test('logs of each resource what the fleet’s record says, and of this instance the last minute alone', () => {
    const waiting = [
      { grant: 'deploy', callers: 2 },
      { grant: 'report', callers: 1 },
    ]
    expect(logged({ rates: [rate({ waiting }), rate({ resource: 'cluster-X' })] })).toEqual([
      {
        event: 'slots_read',
        resource: 'db-ORDERS',
        perSecond: 16,
        free: 12,
        reserved: 4,
        delivered: 2,
        waiting: 3,
      },
      expect.objectContaining({ event: 'slots_read', resource: 'cluster-X', waiting: 0 }),
      { event: 'instance_read' },
    ])
  })

  test('leaves out slots that were not read, or are not of now: a headroom that lies is worse than none', () => {
    const old = { readAt: NOW - 11_000, nextFreeAt: NOW, reserved: 0, free: 16 }
    const future = { ...old, readAt: NOW + 11_000 }
    const rates = [rate({ fleet: undefined }), rate({ fleet: old }), rate({ fleet: future })]
    expect(logged({ rates })).toEqual([{ event: 'instance_read' }])
  })

  test('logs the days of the CA bundle that ends first, and of none below 0', () => {
    const certificate = { of: 'server', kind: 'certificate', notAfter: NOW } as const
    expect(logged({ expiries: [certificate, bundle('us-east-1', 900), bundle('proxy', 80)] })).toEqual([
      { event: 'instance_read', caBundleDays: 80 },
    ])
    expect(logged({ expiries: [bundle('us-east-1', -2)] }).at(-1)).toMatchObject({ caBundleDays: 0 })
  })

  test('logs the age of the oldest keys of issuers that fail', () => {
    const issuerKeys = [
      keys({ fetchedAt: NOW - DAY_MS }),
      keys({ isFailing: true, fetchedAt: NOW - 5000 }),
      keys({ isFailing: true, fetchedAt: NOW - 7000 }),
      keys({ isFailing: true, fetchedAt: undefined }),
    ]
    expect(logged({ issuerKeys })).toEqual([{ event: 'instance_read', failingKeysSeconds: 7 }])
  })
})

test('hasDelivered asks for new tokens of the last minute, of any resource', () => {
  const idle = rate({ deliveredBySecond: [7, ...new Array(60).fill(0)] })
  expect(hasDelivered({ rates: () => [idle] })).toBe(false)
  expect(hasDelivered({ rates: () => [idle, rate()] })).toBe(true)
})
