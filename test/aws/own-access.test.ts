import { beforeEach, describe, expect, test } from 'vitest'
import { watchOwnAccess } from '../../src/aws/own-access.ts'
import { createHealth, type Health } from '../../src/telemetry/health.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder, eventsOf, type LogRecorder } from '../support/service/log-recorder.ts'

let clock: VirtualClock
let health: Health
let log: LogRecorder
let hasCredentials: boolean
let looks: number
let environmentRegion: string | undefined
const openAccess = async () => ({
  environmentRegion,
  async whyNoCredentials() {
    looks++
    return hasCredentials ? undefined : 'there are none anywhere'
  },
})
const watch = () => watchOwnAccess({ openAccess, clock, health, log })

beforeEach(() => {
  clock = virtualClock()
  health = createHealth()
  log = createLogRecorder()
  hasCredentials = false
  looks = 0
  environmentRegion = 'us-east-1'
})

describe('watchOwnAccess', () => {
  test('says each minute that credentials are missing, looks every 5 s, and says that they came', async () => {
    watch()
    await clock.advance(59_000)
    expect(eventsOf(log)).toEqual(['aws_credentials_missing'])
    expect(log.lines[0]).toMatchObject({ level: 'warn', fields: { reason: 'there are none anywhere' } })
    expect(health.degraded()).toEqual(['sts'])
    await clock.advance(2000)
    expect(eventsOf(log)).toEqual(['aws_credentials_missing', 'aws_credentials_missing'])
    hasCredentials = true
    await clock.advance(5000)
    expect(eventsOf(log).slice(2)).toEqual(['aws_credentials_found'])
    expect(health.degraded()).toEqual([])
    const found = looks
    await clock.advance(600_000)
    expect(looks).toBe(found)
  })

  test('says nothing if there are credentials and a region', async () => {
    hasCredentials = true
    watch()
    await clock.advance(600_000)
    expect(looks).toBe(1)
    expect([log.lines, health.degraded()]).toEqual([[], []])
  })

  test('says once that the environment names no region', async () => {
    environmentRegion = undefined
    hasCredentials = true
    watch()
    await clock.advance(600_000)
    expect(eventsOf(log)).toEqual(['aws_region_unset'])
  })

  test('looks no more when it is ended', async () => {
    const end = watch()
    await clock.advance(1000)
    end()
    await clock.advance(600_000)
    expect(looks).toBe(1)
  })
})
