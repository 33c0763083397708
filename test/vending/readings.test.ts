import { expect, test } from 'vitest'
import { createIssuerKeysCache } from '../../src/authentication/issuer-keys-cache.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { createConfigurationInUse } from '../../src/vending/configuration-in-use.ts'
import { recordingLog, startTestIssuer } from '../authentication/support.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { KEY, OWNER } from '../tokens/instances.ts'
import { CONFIG, type ReadInstance, startReadFleet } from './readings-fleet.ts'

/** Two slots a second, 520 ms apart: 10 in the horizon of 5 s, the first at once. */
const SLOW = { ...ORDERS, newTokensPerSecond: 2 }
const SLOW_CONFIG = { ...CONFIG, databases: [SLOW] }
const SECOND = 1000
const MINUTE = 60 * SECOND

async function startTwo() {
  const { clock, fleet } = startReadFleet(2, SLOW_CONFIG)
  const [one, other] = fleet as [ReadInstance, ReadInstance]
  return { clock, one, other, start: clock.now() }
}

const rateOf = ({ readings }: ReadInstance) => readings.rates()[0]!
const ignore = () => {}

test('an instance that has had no request knows its rate, and nothing of the fleet', async () => {
  const { one } = await startTwo()
  expect(one.readings.rates()).toEqual([
    {
      resource: ORDERS.resourceId,
      databases: ['orders'],
      perSecond: 2,
      horizonMs: 5000,
      delivered: 0,
      deliveredBySecond: Array.from({ length: 300 }, () => 0),
      waiting: [],
      fleet: undefined,
    },
  ])
  expect(one.readings.liveTokens()).toEqual([])
  expect(one.readings.roleSessions()).toEqual([])
})

test('the slots of the fleet are known once the record is read, and another instance counts too', async () => {
  const { clock, one, other, start } = await startTwo()
  for (const subject of ['a', 'b', 'c']) void one.get(subject, { database: SLOW })
  await clock.advance(0)
  // the first slot is used at once; those at 520 and 1040 ms are reserved, and the next is at 1560
  expect(rateOf(one).fleet).toEqual({ readAt: start, nextFreeAt: start + 1560, reserved: 2, free: 7 })
  expect(rateOf(other).fleet).toBeUndefined()
  await other.refresh()
  expect(rateOf(other).fleet).toEqual(rateOf(one).fleet)
  void other.get('d', { database: SLOW })
  await clock.advance(0)
  expect(rateOf(other).fleet).toEqual({ readAt: start, nextFreeAt: start + 2080, reserved: 3, free: 6 })
  // what another has reserved since is not known before the next read, and then is
  expect(rateOf(one).fleet?.reserved).toBe(2)
  await clock.advance(1000)
  await one.refresh()
  expect(rateOf(one).fleet).toEqual({ readAt: start + 1000, nextFreeAt: start + 2080, reserved: 2, free: 8 })
  await clock.advance(10_000)
  // all have passed: the next is now, and so is the first of the horizon
  expect(rateOf(one).fleet).toEqual({
    readAt: start + 1000,
    nextFreeAt: clock.now(),
    reserved: 0,
    free: 10,
  })
})

test('the record is read once a second at most, by one call at a time, and a store that fails changes nothing', async () => {
  const { clock, one, start } = await startTwo()
  await Promise.all([one.refresh(), one.refresh(), one.refresh()])
  await clock.advance(999)
  await one.refresh()
  expect(one.slotReads()).toBe(1)
  const first = rateOf(one).fleet
  expect(first).toEqual({ readAt: start, nextFreeAt: start + 999, reserved: 0, free: 10 })
  await clock.advance(4001)
  one.store.fails = new Error('the table is gone')
  await one.refresh()
  expect(rateOf(one).fleet).toEqual({ ...first, nextFreeAt: clock.now() })
  one.store.fails = undefined
  await one.refresh()
  expect(one.slotReads()).toBe(3)
  expect(rateOf(one).fleet?.readAt).toBe(start + 5000)
})

test('waiting callers are counted by the name of their grant until they get their slots or a reload removes it', async () => {
  const { clock, one } = await startTwo()
  for (const subject of ['a', 'b', 'c']) void one.get(subject, { database: SLOW }).catch(ignore)
  void one.get('d', { grant: 'reports', database: SLOW }).catch(ignore)
  // of one token, so it waits with the first
  void one.get('a', { database: SLOW }).catch(ignore)
  await clock.advance(0)
  expect(rateOf(one).waiting).toEqual([
    { grant: 'deploy', callers: 2 },
    { grant: 'reports', callers: 1 },
  ])
  one.inUse.replace({ ...SLOW_CONFIG, grants: CONFIG.grants.filter(({ name }) => name === 'reports') })
  expect(rateOf(one).waiting).toEqual([{ grant: 'reports', callers: 1 }])
  one.inUse.replace(SLOW_CONFIG)
  await clock.advance(3000)
  expect(rateOf(one).waiting).toEqual([])
})

test('whoever has a slot and waits for STS alone does not wait for a slot', async () => {
  const { clock, one } = await startTwo()
  one.sts.delayMs = 300
  void one.get('a', { database: SLOW })
  await clock.advance(100)
  expect(rateOf(one).waiting).toEqual([])
  for (const subject of ['b', 'c', 'd', 'e']) void one.get(subject, { database: SLOW })
  await clock.advance(900)
  // the first has missed its slot and taken another; these are ready, and their slots are still to come
  expect(rateOf(one).waiting).toEqual([{ grant: 'deploy', callers: 4 }])
  await clock.advance(5000)
  expect(rateOf(one).waiting).toEqual([])
})

test('deliveries are counted in the second of their slots, and waits without the time for the role session', async () => {
  const { clock, one, other } = await startTwo()
  one.sts.delayMs = 300
  for (const subject of ['a', 'b', 'c']) void one.get(subject, { database: SLOW })
  await clock.advance(2500)
  const { delivered, deliveredBySecond } = rateOf(one)
  expect(delivered).toBe(3)
  // the slot at 0 ms is over before STS has answered, so these are those at 520, 1040 and 1560 ms
  expect(deliveredBySecond.slice(-3)).toEqual([1, 2, 0])
  expect(deliveredBySecond.reduce((a, b) => a + b)).toBe(3)
  expect(rateOf(other).delivered).toBe(0)
  expect(one.slotWaits.map(({ waitedMs }) => Math.round(waitedMs))).toEqual([220, 740, 1260])
  // one that is cached is no new token
  await one.get('a', { database: SLOW })
  expect(rateOf(one).delivered).toBe(3)
  await clock.advance(300 * SECOND)
  expect(rateOf(one)).toMatchObject({ delivered: 3, deliveredBySecond: Array.from({ length: 300 }, () => 0) })
})

test('after the clock was put back, slots are not known before they are read again, and no second counts twice', async () => {
  const { clock, one, other } = await startTwo()
  await clock.advance(1000)
  for (const subject of ['a', 'b', 'c']) void one.get(subject, { database: SLOW })
  await clock.advance(2000)
  const deliveredIn = (seconds: number) => rateOf(one).deliveredBySecond.slice(-seconds)
  expect(deliveredIn(3)).toEqual([2, 1, 0])
  expect(rateOf(one).fleet).toBeDefined()
  await clock.advance(-60 * SECOND)
  expect(rateOf(one).fleet).toBeUndefined()
  expect(deliveredIn(3)).toEqual([0, 0, 0])
  await one.refresh()
  const unreserved = { readAt: clock.now(), nextFreeAt: clock.now(), reserved: 0, free: 10 }
  expect(rateOf(one).fleet).toEqual(unreserved)
  await other.refresh()
  expect(rateOf(other).fleet).toEqual(unreserved)
  await clock.advance(60 * SECOND)
  expect(deliveredIn(3)).toEqual([0, 0, 0])
  expect(rateOf(one).delivered).toBe(3)
})

test('live tokens and role sessions end when they can be used no longer, and never show a secret', async () => {
  const { clock, one, other, start } = await startTwo()
  await one.get('a', { database: SLOW })
  await other.get('a', { database: SLOW })
  const [token] = one.readings.liveTokens()
  expect(token).toEqual({
    database: 'orders',
    user: 'app_ro',
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    identity: expect.stringContaining('assumed-role'),
    issuedAt: start,
    refreshAfter: start + 9 * MINUTE,
    expiresAt: start + 15 * MINUTE,
    isMintedHere: true,
  })
  expect(other.readings.liveTokens()).toEqual([{ ...token, isMintedHere: false }])
  expect(one.readings.roleSessions()).toEqual([
    { database: 'orders', user: 'app_ro', expiresAt: start + 60 * MINUTE },
  ])
  const shown = JSON.stringify([one.readings.liveTokens(), one.readings.roleSessions()])
  for (const secret of ['X-Amz-', 'ASIA', 'secret']) expect(shown).not.toContain(secret)
  // the other has the token from the store
  expect(other.readings.roleSessions()).toEqual([])
  await clock.advance(10 * MINUTE)
  expect(one.readings.liveTokens()).toEqual([])
  expect(one.readings.roleSessions()).toHaveLength(1)
  await clock.advance(45 * MINUTE)
  expect(one.readings.roleSessions()).toEqual([])
})

test('a token that no caller has yet is not counted as live', async () => {
  const { one } = await startTwo()
  const delivery = await one.tokenCache.get(KEY, { owner: OWNER })
  expect(one.readings.liveTokens()).toEqual([])
  expect(rateOf(one).delivered).toBe(0)
  await delivery.deliver(OWNER)
  expect(one.readings.liveTokens()).toMatchObject([{ user: KEY.user }])
  expect(rateOf(one).delivered).toBe(1)
})

test('what a reload removes is read no longer, nor what was cached for another database of that name', async () => {
  const { one } = await startTwo()
  await one.get('a', { database: SLOW })
  one.inUse.replace({ ...SLOW_CONFIG, databases: [{ ...SLOW, resourceId: 'db-OTHER' }] })
  expect(one.readings.liveTokens()).toEqual([])
  expect(one.readings.roleSessions()).toEqual([])
  expect(one.readings.rates()).toMatchObject([{ resource: 'db-OTHER', delivered: 0, fleet: undefined }])
  one.inUse.replace({ ...SLOW_CONFIG, databases: [] })
  expect(one.readings.rates()).toEqual([])
  one.inUse.replace(SLOW_CONFIG)
  expect(one.readings.liveTokens()).toHaveLength(1)
})

test('databases of one resource are read as one, and two resources with one id are told apart', async () => {
  const { one } = await startTwo()
  const reader = { ...SLOW, name: 'orders-reader' }
  const elsewhere = { ...SLOW, name: 'orders-eu', region: 'eu-west-1' }
  one.inUse.replace({ ...SLOW_CONFIG, databases: [SLOW, reader] })
  expect(one.readings.rates()).toMatchObject([
    { resource: SLOW.resourceId, databases: ['orders', 'orders-reader'] },
  ])
  one.inUse.replace({ ...SLOW_CONFIG, databases: [SLOW, reader, elsewhere] })
  expect(one.readings.rates().map(({ resource }) => resource)).toEqual([
    `123456789012/us-east-1/${SLOW.resourceId}`,
    `123456789012/eu-west-1/${SLOW.resourceId}`,
  ])
})

test('a reload that is refused is read as the last one until another succeeds', async () => {
  const { clock, one, start } = await startTwo()
  expect(one.readings.configuration()).toEqual({ loadedAt: start, lastReload: undefined })
  await clock.advance(1000)
  one.inUse.noteRefusedReload()
  expect(one.readings.configuration()).toEqual({
    loadedAt: start,
    lastReload: { at: start + 1000, isOk: false },
  })
  expect(one.inUse.current().replaced).toBeUndefined()
  await clock.advance(1000)
  const { config } = one.inUse.current()
  one.inUse.replace(SLOW_CONFIG)
  expect(one.inUse.current().replaced).toBe(config)
  expect(one.readings.configuration()).toEqual({
    loadedAt: start + 2000,
    lastReload: { at: start + 2000, isOk: true },
  })
})

test('expiries are those of the certificate that is served, and of the CA bundles that databases need', async () => {
  const { one } = await startTwo()
  const bundles = () => one.readings.expiries().map(({ of, kind }) => `${kind} ${of}`)
  expect(bundles()).toEqual(['ca-bundle us-east-1'])
  expect(one.readings.expiries()[0]?.notAfter).toBeGreaterThan(Date.parse('2030-01-01'))
  one.server.notAfter = Date.parse('2027-01-01')
  const proxy = { ...SLOW, name: 'orders-proxy', kind: 'proxy' as const }
  const unknown = { ...SLOW, name: 'orders-new', region: 'xx-new-1' }
  one.inUse.replace({ ...SLOW_CONFIG, databases: [SLOW, proxy, unknown] })
  expect(bundles()).toEqual([
    'certificate server',
    'ca-bundle us-east-1',
    'ca-bundle proxy',
    'ca-bundle global',
  ])
})

test('the keys of issuers are read without a fetch, and their age grows while the issuer fails', async () => {
  const { clock, issuer, keysOf } = await startTestIssuer()
  const keys = keysOf(issuer.url)
  expect(keys.reading()).toEqual({ isPinned: false, isFailing: false, fetchedAt: undefined, keys: [] })
  expect(issuer.requests.discovery).toBe(0)
  const fetchedAt = clock.now()
  await keys.resolve({ alg: 'ES256', kid: 'key-1' })
  const known = { kid: 'key-1', alg: 'ES256' }
  expect(keys.reading()).toEqual({ isPinned: false, isFailing: false, fetchedAt, keys: [known] })
  await issuer.close()
  await clock.advance(11 * MINUTE)
  await keys.resolve({ alg: 'ES256', kid: 'key-1' })
  expect(keys.reading()).toEqual({ isPinned: false, isFailing: true, fetchedAt, keys: [known] })
  // too old to be used, and still known to be so old
  await clock.advance(24 * 60 * MINUTE)
  expect(keys.reading()).toEqual({ isPinned: false, isFailing: true, fetchedAt, keys: [] })
})

test('issuers are read in the order of the configuration, pinned ones with the names of their keys alone', async () => {
  const { clock, issuer } = await startTestIssuer()
  const health = createHealth()
  const issuerKeys = createIssuerKeysCache({
    ...{ clock, health, log: recordingLog(), backgroundTasks: createBackgroundTasks() },
    fetch: () => Promise.reject(new Error('nothing is fetched here')),
  })
  const parts = { clock, health, issuerKeys }
  const pinned = { name: 'pinned', issuer: issuer.url, audience: 'jeton', jwks: issuer.jwks() }
  const found = { name: 'found', issuer: 'https://found.example', audience: 'jeton' }
  const inUse = createConfigurationInUse({ ...CONFIG, issuers: [found, pinned] }, parts)
  const { policy } = inUse.current()
  expect(policy.issuers.map(({ name, keys }) => ({ name, ...keys.reading() }))).toEqual([
    { name: 'found', isPinned: false, isFailing: false, fetchedAt: undefined, keys: [] },
    {
      name: 'pinned',
      isPinned: true,
      isFailing: false,
      fetchedAt: undefined,
      keys: [{ kid: 'key-1', alg: 'ES256' }],
    },
  ])
})
