import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { run } from '../support/run.ts'
import type { Jeton } from '../support/service/jeton.ts'
import { LEDGER } from '../support/service/test-environment.ts'
import { useServers } from './servers.ts'

const { environment, startServer, bearer } = useServers()
const hasPromtool = await canRun(['prometheus'])

async function scrape({ admin }: Jeton): Promise<string> {
  return (await fetch(`${admin}/metrics`)).text()
}

/** Returns a sample's value; undefined if there is no such series. */
function sampleOf(metrics: string, series: string): number | undefined {
  const line = metrics.split('\n').find(text => text.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test("a server's gauges say what it does, and promtool finds no fault with any metric", async () => {
  const server = { admin: { port: 0 } }
  const jeton = await startServer({ server })
  const before = Date.now() / 1000
  const { body } = await jeton.requestToken(await bearer(), { database: 'orders' })
  await jeton.requestToken(await bearer(), { database: 'orders' })
  await jeton.requestToken(await bearer(), { database: 'ledger' })
  const metrics = await scrape(jeton)
  const after = Date.now() / 1000
  const orders = `resource="${ORDERS.resourceId}"`
  const ledger = `resource="${LEDGER.resourceId}"`
  const of = (series: string) => sampleOf(metrics, series)

  expect(of(`jeton_build_info{version="${manifest.version}",node="${process.versions.node}"}`)).toBe(1)
  expect(of(`jeton_new_tokens_total{${orders}}`)).toBe(1)
  expect(of(`jeton_new_tokens_total{${ledger}}`)).toBe(1)
  // a token that was late for its slot waits for another
  expect(of(`jeton_slot_wait_seconds_count{${orders}}`)).toBeGreaterThanOrEqual(1)
  expect(of('jeton_live_tokens{database="orders"}')).toBe(1)
  expect(of('jeton_role_sessions{database="orders"}')).toBe(1)
  const end = Date.parse(String(body.expiresAt)) / 1000
  expect(of('jeton_token_soonest_expiry_timestamp_seconds{database="orders"}')).toBeCloseTo(end, 0)
  expect(of(`jeton_slots_per_second{${orders}}`)).toBe(16)
  // 5 s of slots at 16 a second in 1.04 s; those before now count no longer
  expect(of(`jeton_slots_free{${orders}}`)).toBeGreaterThanOrEqual(75)
  for (const series of [
    `jeton_slots_read_timestamp_seconds{${orders}}`,
    'jeton_issuer_keys_fetched_timestamp_seconds{issuer="ci"}',
  ]) {
    expect(of(series)).toBeGreaterThanOrEqual(before)
    expect(of(series)).toBeLessThanOrEqual(after)
  }
  expect(of('jeton_configuration_loaded_timestamp_seconds')).toBeLessThanOrEqual(before)
  expect(of('jeton_configuration_reload_timestamp_seconds')).toBeUndefined()
  expect(of('jeton_configuration_reload_successful')).toBe(1)
  expect(of('jeton_ca_bundle_expiry_timestamp_seconds{bundle="us-east-1"}')).toBeGreaterThan(after)
  for (const dependency of ['sts', 'store', 'keys', 'log'])
    expect(of(`jeton_degraded{dependency="${dependency}"}`)).toBe(0)

  if (hasPromtool)
    expect(await run('promtool', ['check', 'metrics'], { input: metrics })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })

  const config = environment().config({ server }) as { databases: object; grants: { database: string }[] }
  await jeton.configure({ ...config, databases: {} })
  jeton.process.kill('SIGHUP')
  await jeton.logged('configuration_broken')
  const broken = await scrape(jeton)
  expect(sampleOf(broken, 'jeton_configuration_reload_successful')).toBe(0)
  expect(sampleOf(broken, 'jeton_configuration_reload_timestamp_seconds')).toBeGreaterThanOrEqual(after)
  expect(sampleOf(broken, 'jeton_live_tokens{database="orders"}')).toBe(1)

  const { orders: _, ...databases } = config.databases as { orders: object }
  const grants = config.grants.filter(({ database }) => database !== 'orders')
  await jeton.configure({ ...config, databases, grants })
  jeton.process.kill('SIGHUP')
  await jeton.logged('configuration_reloaded')
  const reloaded = await scrape(jeton)
  expect(sampleOf(reloaded, 'jeton_configuration_reload_successful')).toBe(1)
  expect(reloaded).not.toContain(orders)
  expect(reloaded).not.toContain('jeton_live_tokens{database="orders"}')
  expect(sampleOf(reloaded, 'jeton_live_tokens{database="ledger"}')).toBe(1)
})
