import { beforeEach, expect, test } from 'vitest'
import { createCertificateWatch } from '../../src/config/certificate-watch.ts'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { createLogRecorder, eventsOf, type LogRecorder } from '../support/service/log-recorder.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const authority = createAuthority()
const ending = (at: number) => {
  const { certPem, keyPem } = authority.issue(['127.0.0.1'], { expiresAt: at })
  return { cert: certPem, key: keyPem }
}
const start = Date.now()
const tls = ending(start + 30 * DAY_MS)

let now: number
let log: LogRecorder
let watch: ReturnType<typeof createCertificateWatch>

beforeEach(() => {
  now = start
  log = createLogRecorder()
  watch = createCertificateWatch({ clock: { now: () => now }, log, of: 'server' })
})

function runUntil(end: number, certificate = tls): readonly unknown[] {
  log.lines.length = 0
  for (; now < end; now += 5 * MINUTE_MS) watch(certificate)
  return eventsOf(log)
}

test('a certificate is silent until 14 days before its end, then logged each day, then each hour', () => {
  expect(runUntil(start + 15.9 * DAY_MS)).toEqual([])
  expect(runUntil(start + 18.5 * DAY_MS)).toEqual(Array(3).fill('certificate_expiring'))
  expect(log.lines[0]).toMatchObject({
    level: 'warn',
    fields: { notAfter: `${new Date(start + 30 * DAY_MS).toISOString().slice(0, 19)}.000Z` },
  })
  runUntil(start + 30 * DAY_MS)
  expect(runUntil(start + 30 * DAY_MS + 2.5 * HOUR_MS)).toEqual(Array(3).fill('certificate_expired'))
  expect(log.lines[0]).toMatchObject({ level: 'error' })
})

test('another certificate is logged at once, and a good one ends it', () => {
  now = start + 29 * DAY_MS
  expect(runUntil(now + HOUR_MS)).toEqual(['certificate_expiring'])
  expect(runUntil(now + HOUR_MS, ending(start + 31 * DAY_MS))).toEqual(['certificate_expiring'])
  expect(runUntil(now + 2 * DAY_MS, ending(start + 90 * DAY_MS))).toEqual([])
})

test('a server without TLS has none', () => {
  watch(undefined)
  expect(log.lines).toEqual([])
})
