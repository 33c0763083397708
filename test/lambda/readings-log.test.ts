import { beforeEach, describe, expect, test } from 'vitest'
import { createReadingsLog } from '../../src/lambda/readings-log.ts'
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
  delivered: 2,
  deliveredBySecond: [],
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

interface Known {
  rates?: RateReading[]
  expiries?: ExpiryReading[]
  issuerKeys?: IssuerKeysReading[]
}

function createLog(known: Known) {
  let reads = 0
  const { expiries = [], issuerKeys = [] } = known
  const service = {
    readings: { rates: () => known.rates ?? [], expiries: () => expiries, issuerKeys: () => issuerKeys },
    refreshFleetSlots: async () => void reads++,
  }
  return { ...createReadingsLog({ service, log, clock: { now: () => NOW } }), reads: () => reads }
}

function logged(known: Known) {
  createLog(known).write()
  return log.lines.map(({ fields }) => fields)
}

describe('createReadingsLog', () => {
  test('writes of each resource what the fleet’s record says', () => {
    expect(logged({ rates: [rate(), rate({ resource: 'cluster-X' })] })).toEqual([
      {
        event: 'slots_read',
        resource: 'db-ORDERS',
        perSecond: 16,
        free: 12,
        reserved: 4,
        delivered: 2,
      },
      expect.objectContaining({ event: 'slots_read', resource: 'cluster-X' }),
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

test('createReadingsLog asks the store only if new tokens were delivered since its last lines', async () => {
  const known = { rates: [rate({ delivered: 0 })] }
  const readingsLog = createLog(known)
  const deliveredThen: unknown[] = []
  for (const delivered of [0, 3, 3, 8]) {
    known.rates = [rate({ delivered })]
    await readingsLog.refresh()
    readingsLog.write()
    deliveredThen.push([readingsLog.reads(), log.lines.at(-2)?.fields.delivered])
  }
  expect(deliveredThen).toEqual([
    [0, 0],
    [1, 3],
    [1, 0],
    [2, 5],
  ])
})
