import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { ORDERS } from '../support/databases/orders.ts'
import { CONFIG, type ReadInstance, startReadFleet } from '../vending/readings-fleet.ts'

/** Two slots a second, 520 ms apart: 10 in the horizon of 5 s, the first at once. */
const SLOW = { ...ORDERS, newTokensPerSecond: 2 }
const SLOW_CONFIG = { ...CONFIG, databases: [SLOW] }
const MINUTE = 60_000
const PINNED = {
  keys: [
    { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'a' },
  ],
}
const RESOURCE = `resource="${ORDERS.resourceId}"`

async function startTwo() {
  const { clock, fleet } = startReadFleet(2, SLOW_CONFIG)
  const [one, other] = fleet as [ReadInstance, ReadInstance]
  return { clock, one, other, startSeconds: clock.now() / 1000 }
}

/** Returns the samples of a metric: their labels as text, and their values. */
async function samplesOf({ scrape }: ReadInstance, name: string): Promise<Record<string, number>> {
  const samples = (await scrape()).flatMap(line => {
    const [, labels = '', value] = new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`).exec(line) ?? []
    return value === undefined ? [] : [[labels, Number(value)] as const]
  })
  return Object.fromEntries(samples)
}

test('the first scrape of an instance without a request has what is known, and no series of what is not', async () => {
  const { one, startSeconds } = await startTwo()
  const lines = (await one.scrape()).filter(
    line => !/^jeton_(connections|clock_offset|store_unreadable|token_request|degraded)/.test(line),
  )
  expect(lines).toEqual([
    'jeton_decisions_total{decision="refused",code="throttled",database="orders",cached=""} 0',
    `jeton_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
    `jeton_slots_per_second{${RESOURCE}} 2`,
    'jeton_live_tokens{database="orders"} 0',
    'jeton_role_sessions{database="orders"} 0',
    `jeton_configuration_loaded_timestamp_seconds ${startSeconds}`,
    'jeton_configuration_reload_successful 1',
    expect.stringMatching(/^jeton_ca_bundle_expiry_timestamp_seconds\{bundle="us-east-1"\} \d+$/),
    `jeton_new_tokens_total{${RESOURCE}} 0`,
  ])
})

test('two instances that share a store agree about its slots once they have read it', async () => {
  const { clock, one, other, startSeconds } = await startTwo()
  for (const subject of ['a', 'b', 'c']) void one.get(subject, { database: SLOW })
  await clock.advance(0)
  await clock.advance(100)
  const slots = async (instance: ReadInstance) => ({
    reserved: await samplesOf(instance, 'jeton_slots_reserved'),
    free: await samplesOf(instance, 'jeton_slots_free'),
    readAt: await samplesOf(instance, 'jeton_slots_read_timestamp_seconds'),
    nextFree: await samplesOf(instance, 'jeton_next_free_slot_seconds'),
  })
  // the first slot was used at once; those at 0.52 and 1.04 s are reserved, and the next is at 1.56 s
  const ofOne = {
    reserved: { [RESOURCE]: 2 },
    free: { [RESOURCE]: 7 },
    readAt: { [RESOURCE]: startSeconds },
    nextFree: { [RESOURCE]: 1.46 },
  }
  expect(await slots(one)).toEqual(ofOne)
  expect(await slots(other)).toEqual({ reserved: {}, free: {}, readAt: {}, nextFree: {} })
  await other.refresh()
  expect(await slots(other)).toEqual({ ...ofOne, readAt: { [RESOURCE]: startSeconds + 0.1 } })
  await clock.advance(10_000)
  expect(await slots(other)).toEqual({
    reserved: { [RESOURCE]: 0 },
    free: { [RESOURCE]: 10 },
    readAt: { [RESOURCE]: startSeconds + 0.1 },
    nextFree: { [RESOURCE]: 0 },
  })
})

test('the queue is counted by grant while callers wait, then the waits and the new tokens are', async () => {
  const { clock, one } = await startTwo()
  for (const subject of ['a', 'b', 'c']) void one.get(subject, { database: SLOW })
  void one.get('d', { grant: 'reports', database: SLOW })
  await clock.advance(0)
  const queue = () => samplesOf(one, 'jeton_slot_queue_length')
  expect(await queue()).toEqual({ [`${RESOURCE},grant="deploy"`]: 2, [`${RESOURCE},grant="reports"`]: 1 })
  await clock.advance(600)
  // the slots of two grants alternate
  expect(await queue()).toEqual({ [`${RESOURCE},grant="deploy"`]: 2 })
  await clock.advance(5000)
  expect(await queue()).toEqual({})
  expect(await samplesOf(one, 'jeton_new_tokens_total')).toEqual({ [RESOURCE]: 4 })
  expect(await samplesOf(one, 'jeton_slot_wait_seconds_count')).toEqual({ [RESOURCE]: 4 })
  expect((await samplesOf(one, 'jeton_slot_wait_seconds_sum'))[RESOURCE]).toBeCloseTo(0.52 + 1.04 + 1.56, 5)
  expect(await samplesOf(one, 'jeton_slot_wait_seconds_bucket')).toMatchObject({
    [`le="0.01",${RESOURCE}`]: 1,
    [`le="1",${RESOURCE}`]: 2,
    [`le="2",${RESOURCE}`]: 4,
  })
})

test('live tokens, the soonest of their ends and role sessions are counted by database', async () => {
  const { clock, one, startSeconds } = await startTwo()
  await one.get('a', { database: SLOW })
  const second = one.get('b', { database: SLOW })
  await clock.advance(MINUTE)
  await second
  const labels = 'database="orders"'
  const gauges = async () => ({
    live: await samplesOf(one, 'jeton_live_tokens'),
    soonest: await samplesOf(one, 'jeton_token_soonest_expiry_timestamp_seconds'),
    sessions: await samplesOf(one, 'jeton_role_sessions'),
  })
  const end = { [labels]: startSeconds + 15 * 60 }
  expect(await gauges()).toEqual({ live: { [labels]: 2 }, soonest: end, sessions: { [labels]: 2 } })
  await clock.advance(20 * MINUTE)
  expect(await gauges()).toEqual({ live: { [labels]: 0 }, soonest: {}, sessions: { [labels]: 2 } })
  await clock.advance(40 * MINUTE)
  expect(await gauges()).toEqual({ live: { [labels]: 0 }, soonest: {}, sessions: { [labels]: 0 } })
})

test('a reload that fails shows until one succeeds', async () => {
  const { clock, one, startSeconds } = await startTwo()
  const gauges = async () =>
    (await one.scrape())
      .filter(line => line.startsWith('jeton_configuration_'))
      .map(line => line.replace(/^jeton_configuration_/, ''))
  await clock.advance(1000)
  one.inUse.noteRefusedReload()
  expect(await gauges()).toEqual([
    `loaded_timestamp_seconds ${startSeconds}`,
    `reload_timestamp_seconds ${startSeconds + 1}`,
    'reload_successful 0',
  ])
  await clock.advance(1000)
  one.inUse.replace(SLOW_CONFIG)
  expect(await gauges()).toEqual([
    `loaded_timestamp_seconds ${startSeconds + 2}`,
    `reload_timestamp_seconds ${startSeconds + 2}`,
    'reload_successful 1',
  ])
})

test('a reload that removes a grant or a database removes its series', async () => {
  const { clock, one } = await startTwo()
  for (const subject of ['a', 'b']) void one.get(subject, { database: SLOW }).catch(() => {})
  void one.get('c', { grant: 'reports', database: SLOW }).catch(() => {})
  await clock.advance(0)
  const named = async (name: string) => (await one.scrape()).filter(line => line.includes(name))
  expect(await named('grant="deploy"')).toHaveLength(1)
  one.inUse.replace({ ...SLOW_CONFIG, grants: CONFIG.grants.filter(({ name }) => name === 'reports') })
  expect(await named('grant="deploy"')).toEqual([])
  expect(await named('grant="reports"')).toHaveLength(1)
  await clock.advance(2000)
  expect(await named(RESOURCE)).not.toEqual([])
  one.inUse.replace({ ...SLOW_CONFIG, databases: [{ ...SLOW, name: 'ledger', resourceId: 'db-LEDGER' }] })
  expect(await named(RESOURCE)).toEqual([])
  expect(await named('database="orders"')).toEqual([])
  expect(await named('resource="db-LEDGER"')).toHaveLength(2)
  // the counter goes on if it comes back, and the histogram begins again
  one.inUse.replace(SLOW_CONFIG)
  expect(await samplesOf(one, 'jeton_new_tokens_total')).toEqual({ [RESOURCE]: 3 })
  expect(await samplesOf(one, 'jeton_slot_wait_seconds_count')).toEqual({})
})

test('the first refusals for want of a slot are an increase, and count once', async () => {
  const { one } = await startTwo()
  const series = 'decision="refused",code="throttled",database="orders",cached=""'
  const throttled = () => samplesOf(one, 'jeton_decisions_total')
  expect(await throttled()).toEqual({ [series]: 0 })
  const refusal = { decision: 'refused', code: 'throttled', grant: 'deploy', database: 'orders' }
  for (let i = 0; i < 3; i++) one.metrics.onDecided(refusal)
  expect(await throttled()).toEqual({ [series]: 3 })
})

test('certificates and the keys of issuers that were never fetched', async () => {
  const { one } = await startTwo()
  one.server.notAfter = Date.parse('2027-01-01')
  expect(await samplesOf(one, 'jeton_certificate_expiry_timestamp_seconds')).toEqual({
    'of="server"': Date.parse('2027-01-01') / 1000,
  })
  const issuers = ['ci', 'other', 'pinned'].map(name => ({
    ...{ name, issuer: `https://${name}.example`, audience: 'jeton' },
    ...(name === 'pinned' && { jwks: PINNED }),
  }))
  one.inUse.replace({ ...SLOW_CONFIG, issuers })
  expect(await samplesOf(one, 'jeton_issuer_keys_fetched_timestamp_seconds')).toEqual({})
  const failing = () => samplesOf(one, 'jeton_issuer_keys_failing')
  expect(await failing()).toEqual({ 'issuer="ci"': 0, 'issuer="other"': 0 })
  const [ci] = one.inUse.current().policy.issuers
  await expect(ci?.keys.resolve({ alg: 'ES256', kid: 'a' })).rejects.toThrow()
  expect(await failing()).toEqual({ 'issuer="ci"': 1, 'issuer="other"': 0 })
})
