import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import type { RoleFailure } from '../../../src/tokens/role-session/failure-backoff.ts'
import {
  createRoleFailures,
  type KnownRole,
  type RoleFailures,
} from '../../../src/tokens/role-session/role-failures.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { asEncrypted } from '../../support/service/as-encrypted.ts'
import { createLogRecorder, type LogRecorder } from '../../support/service/log-recorder.ts'

let clock: VirtualClock
let store: Store
let log: LogRecorder
let failures: RoleFailures
let now: number

beforeEach(() => {
  clock = virtualClock()
  store = { ...createMemoryStore(clock) }
  log = createLogRecorder()
  failures = createRoleFailures({ encryptedStore: asEncrypted(store), clock, log })
  now = clock.now()
})

function role(failure?: RoleFailure): KnownRole {
  return { id: 'r', arn: 'arn:aws:iam::123456789012:role/jeton-orders', failure, version: 'absent' }
}

function failure(changed: Partial<RoleFailure> = {}): RoleFailure {
  return { failures: 2, retryAt: now + 2000, code: 'role_refused', ...changed }
}

const DENIED = new JetonError('role_refused', { publicMessage: 'told', reason: 'what STS said' })

async function write(text: string) {
  const expectedVersion = (await store.read('role/r'))?.version ?? 'absent'
  const expiresAt = now + 3_600_000
  await store.compareAndSwap({ key: 'role/r', bytes: Buffer.from(text), expectedVersion, expiresAt })
}

async function storedText(): Promise<string | undefined> {
  const stored = await store.read('role/r')
  return stored && Buffer.from(stored.bytes).toString()
}

async function loaded(): Promise<RoleFailure | undefined> {
  const known = role()
  await failures.load(known)
  return known.failure
}

/** Lets the store fail from now on. */
function breakStore() {
  const gone = () =>
    Promise.reject(new JetonError('temporarily_unavailable', { publicMessage: 'p', reason: 'gone' }))
  store.read = gone
  store.compareAndSwap = gone
}

const FAILS = '{"v":1,"failures":2,"until":1795428002000,"code":"role_refused"}'
const IS_PROBED = '{"v":1,"failures":2,"until":1795428015000,"code":"role_refused","isProbed":true}'
const WORKS = '{"v":1,"failures":0,"until":1795428000000}'

const NOT_SHARED = { level: 'warn', fields: { event: 'role_failure_not_shared', reason: 'gone' } }

describe('a record of a role', () => {
  test('is written with the bytes that every release writes, under its old key', async () => {
    const known = role(failure({ cause: DENIED }))
    expect(now).toBe(1795428000000)
    await failures.publish(known)
    expect(await storedText()).toBe(FAILS)
    await failures.claimProbe(known)
    expect(await storedText()).toBe(IS_PROBED)
    known.failure = undefined
    await failures.publish(known)
    expect(await storedText()).toBe(WORKS)
  })

  test('that another release wrote is read', async () => {
    await write(FAILS)
    expect(await loaded()).toEqual({ ...failure(), isProbed: false })
    await write(IS_PROBED)
    expect(await loaded()).toEqual({ ...failure(), retryAt: now + 1000, isProbed: true })
    await write(WORKS)
    expect(await loaded()).toBeUndefined()
  })

  test('is dropped by the store five minutes after the back-off', async () => {
    await failures.publish(role(failure()))
    await clock.advance(2000 + 5 * 60_000 - 1)
    expect(await store.read('role/r')).toBeDefined()
    await clock.advance(1)
    expect(await store.read('role/r')).toBeUndefined()
  })

  test.each([
    ['of another release', { v: 2 }],
    ['with no time', { until: null }],
    ['with a time in words', { until: '1795428002000' }],
    ['with a code that no role fails with', { code: 'internal_error' }],
    ['with more failures than any release counts', { failures: 11 }],
    ['with more in it than any release writes', { more: 'x'.repeat(4096) }],
    ['with a negative count', { failures: -1 }],
    ['with half a failure', { failures: 0.5 }],
  ])('%s counts as none', async (_name, changed) => {
    await write(JSON.stringify({ ...JSON.parse(FAILS), ...changed }))
    expect(await loaded()).toBeUndefined()
  })

  test('of any nonsense never makes load fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async text => {
        await write(text)
        expect(await loaded()).toBeUndefined()
      }),
      { numRuns: 50 },
    )
    expect(log.lines).toEqual([])
  })
})

test('of a text in a record, nothing gets past load', async () => {
  const texts = {
    reason: 'click here',
    publicMessage: 'click here',
    code: 'role_refused',
    more: 'click here',
  }
  await write(JSON.stringify({ ...JSON.parse(FAILS), ...texts }))
  expect(await loaded()).toEqual(failure({ isProbed: false }))
  await write(JSON.stringify({ ...JSON.parse(FAILS), code: 'click here' }))
  expect(await loaded()).toBeUndefined()
  expect(log.lines).toEqual([])
})

describe('load', () => {
  test('keeps what STS said to this instance, as long as the record says the same', async () => {
    const known = role(failure({ cause: DENIED }))
    await failures.publish(known)
    await failures.load(known)
    expect(known.failure?.cause).toBe(DENIED)
    await write(FAILS.replace('role_refused', 'temporarily_unavailable'))
    await failures.load(known)
    expect(known.failure).toMatchObject({ code: 'temporarily_unavailable', cause: undefined })
  })

  test('keeps the known failure when there is no record', async () => {
    const known = role(failure())
    await failures.load(known)
    expect(known.failure).toEqual(failure())
  })

  test('takes over that the role works from a record that has changed since', async () => {
    const known = role(failure())
    await failures.publish(known)
    const other = role()
    await failures.load(other)
    other.failure = undefined
    await failures.publish(other)
    await failures.load(known)
    expect(known.failure).toBeUndefined()
  })

  test('keeps a failure that could not be published against a record from before it', async () => {
    const known = role()
    await failures.publish(known)
    known.failure = failure()
    await failures.load(known)
    expect(known.failure).toEqual(failure())
  })

  test('looks for the result of a probe elsewhere in 1 s, unless a wrong clock set the time for it', async () => {
    await failures.claimProbe(role(failure()))
    expect(await loaded()).toMatchObject({ retryAt: now + 1000, isProbed: true })
    const until = now + 10 * 60_000
    await write(IS_PROBED.replace('1795428015000', String(until)))
    expect(await loaded()).toMatchObject({ retryAt: until, isProbed: true })
  })

  test('keeps what it knows while the store fails, and logs it', async () => {
    breakStore()
    const known = role(failure())
    await failures.load(known)
    expect(known.failure).toEqual(failure())
    expect(log.lines).toMatchObject([NOT_SHARED])
  })
})

describe('claimProbe', () => {
  test('needs no record for a role that does not fail', async () => {
    expect(await failures.claimProbe(role())).toBe(true)
    expect(await store.read('role/r')).toBeUndefined()
  })

  test('goes to one of the instances that want it; the others look for its result in 1 s', async () => {
    const [one, other] = [role(failure()), role(failure())]
    expect(await Promise.all([failures.claimProbe(one), failures.claimProbe(other)])).toEqual([true, false])
    expect(one.failure).toEqual(failure())
    expect(other.failure).toEqual(failure({ retryAt: now + 1000, isProbed: true }))
  })

  test('is granted while the store fails: each instance probes for itself', async () => {
    breakStore()
    expect(await failures.claimProbe(role(failure()))).toBe(true)
    expect(log.lines).toMatchObject([NOT_SHARED])
  })
})

describe('publish', () => {
  test('leaves another back-off in force alone', async () => {
    await failures.publish(role(failure({ failures: 7 })))
    await failures.publish(role(failure({ failures: 1 })))
    expect(await loaded()).toMatchObject({ failures: 7 })
  })

  test('replaces one that is over, and a record that says that the role works', async () => {
    await failures.publish(role(failure({ failures: 7, retryAt: now })))
    await failures.publish(role(failure({ failures: 1 })))
    expect(await loaded()).toMatchObject({ failures: 1 })
    await write(WORKS)
    await failures.publish(role(failure({ failures: 3 })))
    expect(await loaded()).toMatchObject({ failures: 3 })
  })

  test('does not say that a role works over a failure that it has not read', async () => {
    await failures.publish(role(failure({ retryAt: now })))
    await failures.publish(role())
    expect(await loaded()).toMatchObject({ failures: 2 })
  })

  test('does not reject while the store fails, and logs it', async () => {
    breakStore()
    await failures.publish(role(failure()))
    expect(log.lines).toMatchObject([NOT_SHARED])
  })
})
