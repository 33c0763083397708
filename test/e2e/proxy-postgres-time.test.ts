import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { sha256Hex } from '../../src/lib/hash.ts'
import { type ShiftedClock, shiftClock } from '../support/clock/shifted-clock.ts'
import { canRun } from '../support/databases/install.ts'
import { eventually } from '../support/proxy/eventually.ts'
import { logInWithPsql, pgOptions } from '../support/proxy/libpq.ts'
import { type ProxyProcess, startProxy } from '../support/proxy/proxy-process.ts'
import { type ProxyService, startProxyService } from '../support/proxy/proxy-service.ts'
import type { FakedAnswer, JetonFront } from '../support/service/jeton-front.ts'

const MINUTE_MS = 60_000
/** How long a token lasts at least from now on, and when the last one has ended for sure. */
const TOKEN_MS = 15 * MINUTE_MS
const MANY = 200
const POOL = 50

/** What becomes of a proxy while its tokens end, its jeton is away, and its database restarts. */
describe.runIf(await canRun(['postgres', 'psql']))('jeton proxy', () => {
  let clock: ShiftedClock
  let service: ProxyService
  let front: JetonFront
  let proxy: ProxyProcess

  beforeAll(async () => {
    clock = shiftClock()
    service = await startProxyService({ engine: 'postgres', databases: { orders: {} }, maxConnections: 250 })
    service.sts.faults.lifetimeMs = TOKEN_MS
    front = await service.startFront()
    proxy = await startProxy({
      front,
      apiKey: service.apiKey,
      databases: ['orders'],
      args: ['--wait', '0', '--health', '0'],
    })
  })
  afterAll(async () => {
    await proxy?.close()
    await service?.close()
    clock?.restore()
    vi.unstubAllEnvs()
  })

  /** Lets time pass for the proxy, jeton and the database. */
  async function pass(ms: number) {
    clock.advance(ms)
    await proxy.advance(ms)
  }
  /** Begins with a token that is new, and counts from there. */
  function observe() {
    const before = { logins: service.real.logins.length, requests: front.requests.length }
    return {
      logins: () => service.real.logins.slice(before.logins).map(({ result }) => result.ok),
      requests: () => front.requests.slice(before.requests),
    }
  }
  function jetonAnswers(answer: 'cut' | FakedAnswer) {
    front.answer = answer
    onTestFinished(() => {
      front.answer = 'jeton'
    })
  }
  const psql = () => logInWithPsql(proxy.endpoint('orders'))
  const REQUEST = { database: 'orders', caPem: true }

  test('has a new token for the next client after the old one has ended while nobody came', async () => {
    expect(await psql()).toBe('app_rw')
    await pass(TOKEN_MS + MINUTE_MS)
    const seen = observe()
    expect(await psql()).toBe('app_rw')
    expect(seen.requests()).toEqual([{ body: REQUEST, status: 200 }])
    expect(seen.logins()).toEqual([true])
  })

  test('asks for one token when 200 clients come at once', async () => {
    await pass(TOKEN_MS + MINUTE_MS)
    const seen = observe()
    const clients = Array.from({ length: MANY }, () => new pg.Client(pgOptions(proxy.endpoint('orders'))))
    await Promise.all(clients.map(client => client.connect()))
    const sql = "select count(*)::int from pg_stat_activity where usename = 'app_rw'"
    expect(await service.real.admin(sql)).toEqual([{ count: MANY }])
    await Promise.all(clients.map(client => client.end()))
    expect(seen.logins()).toHaveLength(MANY)
    expect(seen.requests()).toEqual([{ body: REQUEST, status: 200 }])
    await eventually(() => service.real.admin(sql), [{ count: 0 }])
  })

  test('serves on with a good token while jeton is away; then tells clients so, and serves on when it is back', async () => {
    await pass(TOKEN_MS + MINUTE_MS)
    expect(await psql()).toBe('app_rw')
    const { health } = JSON.parse(await proxy.logged('proxy_started'))
    const readiness = async () => {
      const response = await fetch(`${health}/readyz`)
      return [response.status, await response.json()]
    }
    expect(await readiness()).toEqual([200, { status: 'ready' }])
    jetonAnswers('cut')
    // due for another token
    await pass(12 * MINUTE_MS)
    expect(await psql()).toBe('app_rw')
    await pass(48 * MINUTE_MS)
    const why = `no token for orders: ${new URL(front.url).host} cannot be reached (ECONNRESET): it hung up`
    expect(await psql()).toBe(`FATAL:  jeton proxy: ${why}; try again in a moment`)
    expect(await readiness()).toEqual([503, { status: 'not ready', problem: expect.stringContaining(why) }])
    front.answer = 'jeton'
    expect(await psql()).toBe('app_rw')
    expect(await readiness()).toEqual([200, { status: 'ready' }])
  })

  test('shows its client nothing of a token that the database refuses, if jeton has another', async () => {
    await pass(TOKEN_MS + MINUTE_MS)
    expect(await psql()).toBe('app_rw')
    const fingerprint = sha256Hex([...front.tokens].at(-1) ?? '')
    service.revoked.add(fingerprint)
    // sooner after a token was minted, jeton gives no other
    await pass(11_000)
    const seen = observe()
    expect(await Promise.all([psql(), psql(), psql()])).toEqual(['app_rw', 'app_rw', 'app_rw'])
    expect(seen.requests()).toEqual([{ body: { ...REQUEST, refused: fingerprint }, status: 200 }])
  })

  test.each([
    [
      'refuses the caller',
      { status: 403, body: { code: 'not_granted', detail: 'No grant.', auditId: 'a-1' } },
      '28000',
      'No grant. (not_granted, audit id a-1); trying again changes nothing: ask whoever runs jeton',
    ],
    [
      'throttles',
      {
        status: 429,
        body: { code: 'rate_limited', detail: 'Too many.' },
        headers: { 'retry-after': '7' },
      },
      '57P03',
      'Too many. (rate_limited); try again in 7 s',
    ],
    [
      'is out of order',
      { status: 503, body: { code: 'store_unavailable', detail: 'No store.' } },
      '57P03',
      'No store. (store_unavailable); try again in a moment',
    ],
  ])('tells its client in psql, when jeton %s, and serves on after that', async (_, answer, code, why) => {
    await pass(TOKEN_MS + MINUTE_MS)
    jetonAnswers(answer)
    expect(await psql()).toBe(`FATAL:  jeton proxy: no token for orders: ${why}`)
    const client = new pg.Client(pgOptions(proxy.endpoint('orders')))
    await expect(client.connect()).rejects.toMatchObject({ severity: 'FATAL', code })
    front.answer = 'jeton'
    // a server that said when to come back is left alone until then
    await pass(7000)
    expect(await psql()).toBe('app_rw')
  })

  test('of a pool of 50 no login is refused, through several tokens and restarts of the database', async () => {
    await pass(TOKEN_MS + MINUTE_MS)
    expect(await psql()).toBe('app_rw')
    const seen = observe()
    const pool = new pg.Pool({ ...pgOptions(proxy.endpoint('orders')), max: POOL })
    pool.on('error', () => {})
    const errors: pg.DatabaseError[] = []
    const pids = new Set<number>()
    let isOver = false
    const users = Array.from({ length: POOL }, async () => {
      while (!isOver)
        try {
          const { rows } = await pool.query('select pg_backend_pid() as pid, pg_sleep(0.05)')
          pids.add(rows[0].pid)
        } catch (cause) {
          errors.push(cause as pg.DatabaseError)
          await new Promise(resolve => setTimeout(resolve, 20))
        }
    })
    const haveConnections = async () => {
      pids.clear()
      await eventually(() => pids.size >= POOL, true)
    }
    await haveConnections()
    for (let restarts = 0; restarts < 2; restarts++) {
      await pass(TOKEN_MS + MINUTE_MS)
      await service.real.restart()
      await haveConnections()
    }
    isOver = true
    await Promise.all(users)
    await pool.end()
    expect(seen.logins().filter(isOk => !isOk)).toEqual([])
    expect(seen.logins().length).toBeGreaterThanOrEqual(3 * POOL)
    expect(seen.requests().map(({ status }) => status)).toEqual([200, 200])
    // what PostgreSQL and the proxy say of a server that ends and starts, and pg of a connection in use that has ended
    const expected = ['57P01', '57P02', '57P03', 'Connection terminated unexpectedly']
    const seenErrors = new Set(errors.map(({ code, message }) => code ?? message))
    expect([...seenErrors].filter(text => !expected.includes(text))).toEqual([])
  })
})
