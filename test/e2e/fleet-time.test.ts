import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { verifyToken } from '../../src/dev/aws/rds-verifier.ts'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { canRun } from '../support/databases/install.ts'
import { run } from '../support/run.ts'
import {
  type Answer,
  endpointOf,
  FLEET_START_MS,
  type Fleet,
  startFleet,
  USERS,
} from '../support/service/fleet.ts'
import {
  countAssumeRoleCalls,
  countMintedTokens,
  recordsOf,
  requestUntilServed,
  type ServedAnswer,
  sumMetric,
} from '../support/service/fleet-observations.ts'
import type { Jeton } from '../support/service/jeton.ts'

/** Slots, leases and clocks between server processes. */
const hasFaketime = await canRun(['faketime'])

const PER_SECOND = 20
/** The slots of one second are spread over 1,040 ms, and a token is delivered up to 40 ms after its slot. */
const SLOT_MS = 1040 / PER_SECOND
const MAX_LATE_MS = 40
const AHEAD_SECONDS = 120
/** The error of a clock correction by one reply, on a machine that may take seconds to read it. */
const MAX_ERROR_SECONDS = 5

let fleet: Fleet
/** Those that run with the right clock. */
let instances: Jeton[]
let aheadInstance: Jeton
let killedAt: number
/** Requests for the token whose minting instance was killed. */
let waiting: Promise<ServedAnswer[]>

beforeAll(async () => {
  const limits = { session: 'per-principal', newTokensPerSecond: PER_SECOND } as const
  fleet = await startFleet({ databases: { many: limits, skewed: limits, killed: {} } })
  const [victim, ...others] = await fleet.startInstances(4)
  instances = others
  if (hasFaketime) aheadInstance = await fleet.startInstance({ env: await wrongClock(AHEAD_SECONDS) })
  if (victim) await killWhileItMints(victim, 'killed')
  killedAt = Date.now()
  // They wait while the other tests run.
  waiting = Promise.all(Array.from({ length: 40 }, (_, i) => requestFrom(nth(i), 'killed', `waiting-${i}`)))
}, FLEET_START_MS)
afterAll(() => fleet?.close())

async function killWhileItMints(victim: Jeton, database: string): Promise<void> {
  const { sts } = fleet.environment
  sts.faults.delayMs = 2000
  const lost = fleet.requestToken(victim, database).catch(() => 'lost')
  await vi.waitUntil(() => sts.requests() === 1, { timeout: 10_000 })
  victim.process.kill('SIGKILL')
  sts.faults.delayMs = 0
  expect([await victim.ended, await lost]).toEqual(['SIGKILL', 'lost'])
}

const nth = (i: number) => instances[i % instances.length] as Jeton

/** The time (ms) of a first delivery: between the token's audit record and the arrival of the reply. */
interface FirstDelivery {
  readonly recordedAt: number
  readonly arrivedAt: number
}

const requestFrom = (instance: Jeton, database: string, subject: string) =>
  requestUntilServed(() => fleet.requestToken(instance, database, { subject }))

/**
 * Each principal has a token of its own, so the reply that it gets is its token's first delivery: even if an earlier request
 * minted it, missed its slot on a loaded machine, and was refused another.
 */
async function deliveriesOf(served: readonly ServedAnswer[]): Promise<FirstDelivery[]> {
  const times = () => new Map(recordsOf(fleet.instances).map(({ id, time }) => [id, Date.parse(time)]))
  const timeOf = ({ answer }: ServedAnswer) => times().get(String(answer.body.auditId))
  await expect.poll(() => served.every(each => timeOf(each) !== undefined)).toBe(true)
  return served.map(each => ({ recordedAt: timeOf(each) ?? Number.NaN, arrivedAt: each.at }))
}

/**
 * Returns the most tokens that were certainly delivered within one second: recorded and arrived in it. The exact moment is
 * somewhere between, and a loaded machine only widens that range, so load cannot cause a false alarm. Tests in virtual time
 * check the milliseconds.
 */
function mostInASecond(deliveries: readonly FirstDelivery[]): number {
  const countFrom = ({ recordedAt: from }: FirstDelivery) =>
    deliveries.filter(({ recordedAt, arrivedAt }) => recordedAt >= from && arrivedAt < from + 1000).length
  return Math.max(...deliveries.map(countFrom))
}

const durationMs = (deliveries: readonly FirstDelivery[]) =>
  Math.max(...deliveries.map(({ arrivedAt }) => arrivedAt)) -
  Math.min(...deliveries.map(({ recordedAt }) => recordedAt))

const minDurationMs = (count: number) => (count - 1) * SLOT_MS - MAX_LATE_MS

test('160 principals at once on three instances are served as fast as the limit allows', async () => {
  const principals = 160
  const served = await Promise.all(
    Array.from({ length: principals }, (_, i) => requestFrom(nth(i), 'many', `job-${i}`)),
  )
  expect(served.filter(({ answer }) => answer.status !== 200)).toEqual([])
  expect(new Set(served.map(({ answer }) => answer.body.identity)).size).toBe(principals)

  const deliveries = await deliveriesOf(served)
  expect(mostInASecond(deliveries)).toBeLessThanOrEqual(PER_SECOND)
  expect(durationMs(deliveries)).toBeGreaterThanOrEqual(minDurationMs(principals))
  // The last of them has its slot after 8.3 s, and nobody may be told to wait longer than that.
  const waits = served.flatMap(({ refusals }) =>
    refusals.map(({ headers }) => Number(headers.get('retry-after'))),
  )
  expect(waits.length).toBeGreaterThan(0)
  expect(Math.max(...waits)).toBeLessThanOrEqual(10)
  // A busy machine misses slots; one that misses two of three still passes.
  expect(durationMs(deliveries)).toBeLessThan(3 * minDurationMs(principals))
})

describe.runIf(hasFaketime)('an instance whose clock is two minutes ahead', () => {
  test('does not disturb the others, signs tokens that RDS accepts, and reports its clock offset', async () => {
    const [right] = instances
    if (!right) throw new Error('no instance has the right clock')
    const requestTwelve = (instance: Jeton, name: string) =>
      Array.from({ length: 12 }, (_, i) => requestFrom(instance, 'skewed', `${name}-${i}`))

    // The instance with the wrong clock reserves slots first, before any reply has told it the time.
    const before = await Promise.all(requestTwelve(aheadInstance, 'before'))
    const served = await Promise.all([...requestTwelve(right, 'right'), ...requestTwelve(nth(1), 'too')])
    const beside = await Promise.all(requestTwelve(aheadInstance, 'beside'))
    expect([...before, ...served, ...beside].map(({ answer }) => answer.status)).toEqual(Array(48).fill(200))
    const deliveries = await deliveriesOf(served)
    expect(mostInASecond(deliveries)).toBeLessThanOrEqual(PER_SECOND)
    expect(durationMs(deliveries)).toBeGreaterThanOrEqual(minDurationMs(24))
    // If it had reserved slots minutes ahead, the others would wait as long.
    expect(durationMs(deliveries)).toBeLessThan((AHEAD_SECONDS / 4) * 1000)

    for (const { answer } of [...before, ...beside]) expectAccepted(answer)
    await expectShared(aheadInstance, right, 'from-ahead')
    await expectShared(right, aheadInstance, 'from-right')

    const { offsetMs } = JSON.parse(await aheadInstance.logged('clock_corrected'))
    const exported = await sumMetric([aheadInstance], 'jeton_clock_offset_seconds')
    for (const seconds of [offsetMs / 1000, exported])
      expect(Math.abs(seconds + AHEAD_SECONDS)).toBeLessThan(MAX_ERROR_SECONDS)
    expect(await sumMetric(instances, 'jeton_clock_offset_seconds')).toBe(0)
  })

  function expectAccepted({ body }: Answer): void {
    const now = Date.now()
    const { sts } = fleet.environment
    const endpoint = endpointOf('skewed')
    const verification = verifyToken({ token: String(body.token), user: USERS[0], endpoint, sts, now })
    expect(verification).toMatchObject({ ok: true, identity: body.identity })
    // AWS accepts up to five minutes; jeton is more exact.
    expect(Date.parse(String(body.issuedAt)) - now).toBeLessThan(MAX_ERROR_SECONDS * 1000)
  }

  async function expectShared(first: Jeton, second: Jeton, subject: string): Promise<void> {
    const { answer } = await requestFrom(first, 'skewed', subject)
    expectAccepted(answer)
    const other = await requestFrom(second, 'skewed', subject)
    expect(other.answer.body).toMatchObject({ token: answer.body.token, cached: true })
  }
})

test('the lease of an instance killed while it mints passes to another, which serves all who wait', async () => {
  const served = await waiting
  expect(served.map(({ answer }) => answer.status)).toEqual(Array(40).fill(200))
  expect(new Set(served.map(({ answer }) => answer.body.token)).size).toBe(1)
  // Nobody has waited for a whole lease, which would be an error of its own.
  const details = served.flatMap(({ refusals }) => refusals.map(({ body }) => body.detail))
  expect(details).not.toContainEqual(expect.stringContaining('another instance'))
  expect(await countMintedTokens(instances, 'killed')).toBe(1)
  expect(countAssumeRoleCalls(fleet, 'killed')).toBe(2)
  // The lease of 16 s was respected: most of it had not passed.
  expect(Math.min(...served.map(({ at }) => at)) - killedAt).toBeGreaterThan(5000)
})

/** Returns the environment of a process whose clock, but not its timers, is wrong by `offsetSeconds`. */
async function wrongClock(offsetSeconds: number): Promise<Record<string, string>> {
  // The faketime command itself would receive the signals instead of the process.
  const { stdout } = await run(await findProgram('faketime'), ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD'])
  return {
    LD_PRELOAD: stdout.trim(),
    FAKETIME: `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}
