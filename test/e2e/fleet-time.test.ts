import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { findProgram } from '../support/databases/programs.ts'
import { judge } from '../support/databases/rds-verifier.ts'
import { run } from '../support/run.ts'
import {
  type Answer,
  assumed,
  endpointOf,
  FLEET_START_MS,
  type Fleet,
  type Insisted,
  insist,
  minted,
  recordsOf,
  startFleet,
  total,
  USERS,
} from '../support/service/fleet.ts'
import type { Jeton } from '../support/service/jeton.ts'

/** Turns, leases and clocks between real server processes. */
const hasFaketime = await canRun(['faketime'])

const PER_SECOND = 20
/** How far apart turns are: a second's lie in 1,040 ms. A token leaves at its turn or up to 40 ms later. */
const TURN_MS = 1040 / PER_SECOND
const LATE_MS = 40
const AHEAD_SECONDS = 120
/** How exactly a clock is corrected by one reply, on a machine that takes seconds to get it. */
const EXACTLY_SECONDS = 5

let fleet: Fleet
/** Those whose clock is right and who live. */
let instances: Jeton[]
let ahead: Jeton
let killedAt: number
let orphans: Promise<Insisted[]>

beforeAll(async () => {
  const each = { session: 'per-principal', newTokensPerSecond: PER_SECOND } as const
  fleet = await startFleet({ databases: { many: each, skewed: each, killed: {} } })
  const [victim, ...others] = await fleet.joinAll(4)
  instances = others
  if (hasFaketime) ahead = await fleet.join({ env: await wrongClock(AHEAD_SECONDS) })
  if (victim) await killWhileItMints(victim, 'killed')
  killedAt = Date.now()
  // they wait while the other tests run
  orphans = Promise.all(Array.from({ length: 40 }, (_, i) => insistOn(nth(i), 'killed', `waiting-${i}`)))
}, FLEET_START_MS)
afterAll(() => fleet?.close())

async function killWhileItMints(victim: Jeton, database: string): Promise<void> {
  const { sts } = fleet.stage
  sts.faults.delayMs = 2000
  const lost = fleet.ask(victim, database).catch(() => 'lost')
  await vi.waitUntil(() => sts.requests() === 1, { timeout: 10_000 })
  victim.process.kill('SIGKILL')
  sts.faults.delayMs = 0
  expect([await victim.ended, await lost]).toEqual(['SIGKILL', 'lost'])
}

const nth = (i: number) => instances[i % instances.length] as Jeton

/** A new token on its way: recorded at `from` by its instance, and then handed out; here at `to`. All in ms. */
interface HandOut {
  readonly from: number
  readonly to: number
}

const insistOn = (instance: Jeton, database: string, subject: string) =>
  insist(() => fleet.ask(instance, database, { subject }))

async function handOutsOf(asked: readonly Insisted[]): Promise<HandOut[]> {
  const times = () => new Map(recordsOf(fleet.instances).map(({ id, time }) => [id, Date.parse(time)]))
  const fresh = asked.filter(({ answer }) => answer.body.cached === false)
  const timeOf = ({ answer }: Insisted) => times().get(String(answer.body.auditId))
  await expect.poll(() => fresh.every(each => timeOf(each) !== undefined)).toBe(true)
  return fresh.map(each => ({ from: timeOf(each) ?? Number.NaN, to: each.at }))
}

/**
 * The most that were handed out in one second for certain: recorded and arrived within it. The very moment lies between the
 * two, and how far they are apart is this machine's load: no load can fake a second that is certain. What turns are to the
 * millisecond, the tests in virtual time show.
 */
function mostInASecond(handOuts: readonly HandOut[]): number {
  const certainlyAfter = ({ from }: HandOut) =>
    handOuts.filter(other => other.from >= from && other.to < from + 1000).length
  return Math.max(...handOuts.map(certainlyAfter))
}

const lengthMs = (handOuts: readonly HandOut[]) =>
  Math.max(...handOuts.map(({ to }) => to)) - Math.min(...handOuts.map(({ from }) => from))

const leastMs = (count: number) => (count - 1) * TURN_MS - LATE_MS

test('160 principals at once on three instances are served as fast as the pace allows', async () => {
  const principals = 160
  const asked = await Promise.all(
    Array.from({ length: principals }, (_, i) => insistOn(nth(i), 'many', `job-${i}`)),
  )
  expect(asked.filter(({ answer }) => answer.status !== 200)).toEqual([])
  expect(new Set(asked.map(({ answer }) => answer.body.identity)).size).toBe(principals)

  const handOuts = await handOutsOf(asked)
  expect(handOuts).toHaveLength(principals)
  expect(mostInASecond(handOuts)).toBeLessThanOrEqual(PER_SECOND)
  expect(lengthMs(handOuts)).toBeGreaterThanOrEqual(leastMs(principals))
  // its turn is 8.3 s off for the last of them, and nobody may be sent away for longer
  const waits = asked.flatMap(({ refusals }) =>
    refusals.map(({ headers }) => Number(headers.get('retry-after'))),
  )
  expect(waits.length).toBeGreaterThan(0)
  expect(Math.max(...waits)).toBeLessThanOrEqual(10)
  // a machine that is busy with other things misses turns; one that misses two of three still passes
  expect(lengthMs(handOuts)).toBeLessThan(3 * leastMs(principals))
})

describe.runIf(hasFaketime)('an instance two minutes ahead', () => {
  test('does not disturb the others, signs what RDS takes, and says how wrong its clock is', async () => {
    const [right] = instances
    if (!right) throw new Error('nobody has the right time')
    const askTwelve = (instance: Jeton, name: string) =>
      Array.from({ length: 12 }, (_, i) => insistOn(instance, 'skewed', `${name}-${i}`))

    // the first to take turns is the one whose clock is wrong, before anybody has told it the time
    const before = await Promise.all(askTwelve(ahead, 'before'))
    const asked = await Promise.all([...askTwelve(right, 'right'), ...askTwelve(nth(1), 'too')])
    const beside = await Promise.all(askTwelve(ahead, 'beside'))
    expect([...before, ...asked, ...beside].map(({ answer }) => answer.status)).toEqual(Array(48).fill(200))
    const handOuts = await handOutsOf(asked)
    expect(handOuts).toHaveLength(24)
    expect(mostInASecond(handOuts)).toBeLessThanOrEqual(PER_SECOND)
    expect(lengthMs(handOuts)).toBeGreaterThanOrEqual(leastMs(24))
    // turns that it had taken minutes ahead would keep the others waiting for as long
    expect(lengthMs(handOuts)).toBeLessThan((AHEAD_SECONDS / 4) * 1000)

    for (const { answer } of [...before, ...beside]) expectGood(answer)
    await expectShared(ahead, right, 'from-ahead')
    await expectShared(right, ahead, 'from-right')

    const { offsetMs } = JSON.parse(await ahead.logged('clock_corrected'))
    const exported = await total([ahead], 'jeton_clock_offset_seconds')
    for (const seconds of [offsetMs / 1000, exported])
      expect(Math.abs(seconds + AHEAD_SECONDS)).toBeLessThan(EXACTLY_SECONDS)
    expect(await total(instances, 'jeton_clock_offset_seconds')).toBe(0)
  })

  function expectGood({ body }: Answer): void {
    const now = Date.now()
    const { sts } = fleet.stage
    const endpoint = endpointOf('skewed')
    const verdict = judge({ token: String(body.token), user: USERS[0], endpoint, sts, now })
    expect(verdict).toMatchObject({ ok: true, identity: body.identity })
    // AWS would let five minutes pass
    expect(Date.parse(String(body.issuedAt)) - now).toBeLessThan(EXACTLY_SECONDS * 1000)
  }

  async function expectShared(first: Jeton, second: Jeton, subject: string): Promise<void> {
    const { answer } = await insistOn(first, 'skewed', subject)
    expectGood(answer)
    const other = await insistOn(second, 'skewed', subject)
    expect(other.answer.body).toMatchObject({ token: answer.body.token, cached: true })
  }
})

test('an instance killed while it mints: another takes over when its lease ends, for all who wait', async () => {
  const asked = await orphans
  expect(asked.map(({ answer }) => answer.status)).toEqual(Array(40).fill(200))
  expect(new Set(asked.map(({ answer }) => answer.body.token)).size).toBe(1)
  // who has waited for a whole lease is told that it takes too long
  const details = asked.flatMap(({ refusals }) => refusals.map(({ body }) => body.detail))
  expect(details).not.toContainEqual(expect.stringContaining('another instance'))
  expect(await minted(instances, 'killed')).toBe(1)
  expect(assumed(fleet, 'killed')).toBe(2)
  // and the lease, of 16 s, was respected: a good part of it was still to go
  expect(Math.min(...asked.map(({ at }) => at)) - killedAt).toBeGreaterThan(5000)
})

/** The environment of a process whose clock is wrong by so much; timers and everyone else's clock are right. */
async function wrongClock(offsetSeconds: number): Promise<Record<string, string>> {
  // the wrapper itself would stand between us and the process that signals are for
  const { stdout } = await run(await findProgram('faketime'), ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD'])
  return {
    LD_PRELOAD: stdout.trim(),
    FAKETIME: `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}
